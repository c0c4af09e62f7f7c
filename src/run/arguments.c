/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/arguments.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* The member's name as a step of a JSON pointer (RFC 6901): '~' and '/' are escaped. */
static char *argument_path(const char *name)
{
	_cleanup_buffer_ Buffer path = {};

	buffer_text(&path, "/data_pool/");
	for (const char *c = name; *c; c++) {
		if (*c == '~')
			buffer_text(&path, "~0");
		else if (*c == '/')
			buffer_text(&path, "~1");
		else
			buffer_append(&path, c, 1);
	}
	return buffer_take_text(&path);
}

static int encode_pair(const char *name, const Value *value, Buffer *buffer)
{
	buffer_string(buffer, name);
	value_encode(value, buffer);
	return buffer_error(buffer);
}

/* 1 where the argument was there, 0 where it may be and is absent. */
static int encode_argument(const SpecArg *arg, struct json_object *data_pool, Buffer *buffer, Error *error)
{
	_cleanup_value_ Value value = {};
	_cleanup_free_ char *path = NULL;
	struct json_object *json;
	int r;

	if (!json_object_object_get_ex(data_pool, arg->name, &json)) {
		if (!arg->required || arg->has_default)
			return 0;
		path = argument_path(arg->name);
		return path ? error_set(error, ERROR_MISSING_ARGUMENT, path, "argument \"%s\" (%s) is required",
					arg->name, value_type_name(arg->type))
			    : -ENOMEM;
	}

	r = value_from_json(json, &value);
	if (r < 0 && r != -EINVAL)
		return r;
	if (!value_type_fits(arg->type, value.type)) {
		path = argument_path(arg->name);
		return path ? error_set(error, ERROR_WRONG_TYPE, path, "expected %s, got %s",
					value_type_name(arg->type), json_kind(json))
			    : -ENOMEM;
	}
	r = encode_pair(arg->name, &value, buffer);
	return r < 0 ? r : 1;
}

static int check_unknown(const SpecProgram *program, struct json_object *data_pool, Error *error)
{
	json_object_object_foreach(data_pool, name, json)
	{
		_cleanup_free_ char *path = NULL;

		(void)json;
		if (spec_arg(&program->args, name))
			continue;
		path = argument_path(name);
		return path ? error_set(error, ERROR_UNKNOWN_ARGUMENT, path, "program \"%s\" has no such argument",
					program->name)
			    : -ENOMEM;
	}
	return 0;
}

static int encode_metadata(struct json_object *metadata, Buffer *buffer)
{
	int n = 0;

	json_object_object_foreach(metadata, name, json)
	{
		_cleanup_value_ Value value = {};
		int r;

		if (!text_is_identifier(name))
			continue;
		r = value_from_json(json, &value);
		if (r == -EINVAL)
			continue;
		if (r < 0)
			return r;
		buffer_u32(buffer, (uint32_t)strlen(name) + 1);
		buffer_text(buffer, "_");
		buffer_text(buffer, name);
		value_encode(&value, buffer);
		n++;
	}
	return n;
}

static int encode_all(const SpecProgram *program, struct json_object *data_pool, struct json_object *metadata,
		      Buffer *buffer, Error *error)
{
	int r, n = 0;

	for (size_t i = 0; i < program->args.n; i++) {
		r = encode_argument(&program->args.items[i], data_pool, buffer, error);
		if (r < 0)
			return r;
		n += r;
	}
	r = check_unknown(program, data_pool, error);
	if (r < 0 || !metadata)
		return r < 0 ? r : n;
	r = encode_metadata(metadata, buffer);
	return r < 0 ? r : n + r;
}

int arguments_encode(const SpecProgram *program, struct json_object *data_pool, struct json_object *metadata,
		     Buffer *buffer, Error *error)
{
	size_t start = buffer->size;
	int r;

	buffer_u32(buffer, 0);
	r = encode_all(program, data_pool, metadata, buffer, error);
	if (r >= 0 && buffer_error(buffer) < 0)
		r = -ENOMEM;
	if (r < 0) {
		buffer->size = start;
		return r;
	}
	buffer_patch_u32(buffer, start, (uint32_t)r);
	return 0;
}
