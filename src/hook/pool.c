/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <json-c/json.h>

#include "hook/current.h"

static int get(const ryuso_run *run, const char *key, enum ryuso_value_type type, struct ryuso_value *ret)
{
	struct ryuso_value value;
	int r;

	if (!hook_current(run))
		return -EPERM;
	if (!key)
		return -EINVAL;
	r = run->calls->get(run->host, key, &value);
	if (r < 0)
		return r;
	if (type == RYUSO_VALUE_FLOAT && value.type == RYUSO_VALUE_INT)
		value = (struct ryuso_value){ .type = RYUSO_VALUE_FLOAT, .real = (double)value.integer };
	if (type != RYUSO_VALUE_NONE && value.type != type)
		return -EINVAL;
	*ret = value;
	return 0;
}

bool ryuso_has(const ryuso_run *run, const char *key)
{
	struct ryuso_value value;

	return get(run, key, RYUSO_VALUE_NONE, &value) == 0;
}

int ryuso_get_int(const ryuso_run *run, const char *key, int64_t *ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_INT, &value);

	if (r == 0)
		*ret = value.integer;
	return r;
}

int ryuso_get_float(const ryuso_run *run, const char *key, double *ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_FLOAT, &value);

	if (r == 0)
		*ret = value.real;
	return r;
}

int ryuso_get_bool(const ryuso_run *run, const char *key, bool *ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_BOOL, &value);

	if (r == 0)
		*ret = value.boolean;
	return r;
}

int ryuso_get_string(const ryuso_run *run, const char *key, const char **ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_STRING, &value);

	if (r == 0)
		*ret = value.string;
	return r;
}

int ryuso_get_list(const ryuso_run *run, const char *key, struct json_object **ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_LIST, &value);

	if (r == 0)
		*ret = value.json;
	return r;
}

int ryuso_get_dict(const ryuso_run *run, const char *key, struct json_object **ret)
{
	struct ryuso_value value;
	int r = get(run, key, RYUSO_VALUE_DICT, &value);

	if (r == 0)
		*ret = value.json;
	return r;
}

static bool is_value(const struct ryuso_value *value)
{
	switch (value->type) {
	case RYUSO_VALUE_STRING:
		return value->string && hook_utf8(value->string);
	case RYUSO_VALUE_FLOAT:
		return isfinite(value->real);
	case RYUSO_VALUE_LIST:
		return json_object_is_type(value->json, json_type_array);
	case RYUSO_VALUE_DICT:
		return json_object_is_type(value->json, json_type_object);
	default:
		return true;
	}
}

static bool is_key(const char *key)
{
	size_t size = key ? strnlen(key, HOOK_KEY_MAX + 1) : 0;

	return size > 0 && size <= HOOK_KEY_MAX && key[0] != '_' && hook_utf8(key);
}

static int set(ryuso_run *run, const char *key, const struct ryuso_value *value)
{
	if (!hook_current(run))
		return -EPERM;
	if (!is_key(key) || !is_value(value))
		return -EINVAL;
	return run->calls->set(run->host, key, value);
}

int ryuso_set_int(ryuso_run *run, const char *key, int64_t value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_INT, .integer = value });
}

int ryuso_set_float(ryuso_run *run, const char *key, double value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_FLOAT, .real = value });
}

int ryuso_set_bool(ryuso_run *run, const char *key, bool value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_BOOL, .boolean = value });
}

int ryuso_set_string(ryuso_run *run, const char *key, const char *value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_STRING, .string = value });
}

int ryuso_set_list(ryuso_run *run, const char *key, struct json_object *value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_LIST, .json = value });
}

int ryuso_set_dict(ryuso_run *run, const char *key, struct json_object *value)
{
	return set(run, key, &(struct ryuso_value){ .type = RYUSO_VALUE_DICT, .json = value });
}
