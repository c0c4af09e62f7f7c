/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of a JSON object that came from elsewhere: absent, or of another type than asked for, is the same. What is
 * returned is borrowed. */
#pragma once

#include "base/json.h"

static inline struct json_object *member(struct json_object *json, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(json, json_type_object))
		json_object_object_get_ex(json, name, &value);
	return value;
}

static inline struct json_object *member_typed(struct json_object *json, const char *name, enum json_type type)
{
	struct json_object *value = member(json, name);

	return value && json_object_is_type(value, type) ? value : NULL;
}

static inline struct json_object *member_list(struct json_object *json, const char *name)
{
	return member_typed(json, name, json_type_array);
}

static inline size_t member_length(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

static inline const char *member_text(struct json_object *json, const char *name)
{
	struct json_object *value = member_typed(json, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

static inline int64_t member_int(struct json_object *json, const char *name)
{
	struct json_object *value = member_typed(json, name, json_type_int);

	return value ? json_object_get_int64(value) : 0;
}

static inline bool member_bool(struct json_object *json, const char *name)
{
	struct json_object *value = member_typed(json, name, json_type_boolean);

	return value && json_object_get_boolean(value);
}
