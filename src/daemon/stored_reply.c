/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stored_reply.h"

struct json_object *stored_reply_read(const void *reply, size_t size)
{
	_cleanup_buffer_ Buffer text = { 0 };
	struct json_object *tree = NULL;
	JsonError error = { 0 };

	buffer_u8(&text, '{');
	buffer_append(&text, reply, size);
	if (size == 0 || buffer_error(&text) < 0 ||
	    json_parse((const char *)text.data, text.size, JSON_DEPTH_MAX, &tree, &error) < 0)
		return NULL;
	return tree;
}

int stored_reply_write(struct json_object *tree, Buffer *buffer)
{
	_cleanup_buffer_ Buffer text = { 0 };

	json_write(tree, &text);
	if (buffer_error(&text) < 0)
		return -ENOMEM;
	buffer_append(buffer, text.data + 1, text.size - 1); /* without its first brace */
	return buffer_error(buffer);
}

struct json_object *stored_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

const char *stored_text(struct json_object *object, const char *name)
{
	struct json_object *value = stored_member(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t stored_number(struct json_object *object, const char *name)
{
	struct json_object *value = stored_member(object, name);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
}

void stored_reply_stand(struct json_object *tree, uint32_t *step, ErrorCode *code)
{
	struct json_object *parked = stored_member(tree, "parked");
	const char *name = stored_text(parked, "name");

	if (stored_member(parked, "step"))
		*step = (uint32_t)stored_number(parked, "step");
	if (name)
		*code = error_from_name(name);
}
