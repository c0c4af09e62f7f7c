/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/members.h"

void members_begin(Members *members)
{
	members->object = json_object_new_object();
	members->ok = members->object != NULL;
}

void members_add(Members *members, const char *name, struct json_object *value)
{
	if (!members->ok || !value || json_object_object_add(members->object, name, value) < 0) {
		json_object_put(value);
		members->ok = false;
	}
}

void members_text(Members *members, const char *name, const char *value)
{
	if (value)
		members_add(members, name, json_object_new_string(value));
}

void members_text_or_null(Members *members, const char *name, const char *value)
{
	if (value)
		members_text(members, name, value);
	else
		members_null(members, name);
}

void members_int(Members *members, const char *name, uint64_t value)
{
	members_add(members, name, json_object_new_int64((int64_t)MIN(value, (uint64_t)INT64_MAX)));
}

void members_time(Members *members, const char *name, uint64_t usec)
{
	if (usec > 0)
		members_int(members, name, usec);
}

void members_bool(Members *members, const char *name, bool value)
{
	members_add(members, name, json_object_new_boolean(value));
}

void members_null(Members *members, const char *name)
{
	if (members->ok && json_object_object_add(members->object, name, NULL) < 0)
		members->ok = false;
}

void members_id(Members *members, const char *name, const Id *id)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	members_text(members, name, text);
}

struct json_object *members_end(Members *members)
{
	if (!members->ok) {
		json_object_put(members->object);
		members->object = NULL;
	}
	return members->object;
}

struct json_object *members_append(struct json_object *list, struct json_object *item)
{
	if (list && item && json_object_array_add(list, item) == 0)
		return list;
	json_object_put(item);
	json_object_put(list);
	return NULL;
}
