/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/fingerprint.h"

#include <errno.h>
#include <string.h>

typedef struct Member {
	const char *name;
	struct json_object *value;
} Member;

static int member_compare(const void *a, const void *b)
{
	const Member *first = a, *second = b;

	return strcmp(first->name, second->name);
}

static void write_canonical(struct json_object *json, Buffer *buffer);

static void write_object(struct json_object *object, Buffer *buffer)
{
	size_t n = (size_t)json_object_object_length(object), i = 0;
	_cleanup_free_ Member *members = calloc(n + 1, sizeof(*members));

	if (!members) {
		buffer->failed = true;
		return;
	}
	json_object_object_foreach(object, name, value)
	{
		members[i++] = (Member){ name, value };
	}
	qsort(members, n, sizeof(*members), member_compare);
	buffer_u8(buffer, '{');
	for (i = 0; i < n; i++) {
		buffer_string(buffer, members[i].name);
		write_canonical(members[i].value, buffer);
	}
	buffer_u8(buffer, '}');
}

static void write_array(struct json_object *array, Buffer *buffer)
{
	size_t n = json_object_array_length(array);

	buffer_u8(buffer, '[');
	for (size_t i = 0; i < n; i++) {
		write_canonical(json_object_array_get_idx(array, i), buffer);
		buffer_u8(buffer, ',');
	}
	buffer_u8(buffer, ']');
}

/* No JSON: names with their lengths, so that nothing can stand for something else. */
static void write_canonical(struct json_object *json, Buffer *buffer)
{
	if (json_object_is_type(json, json_type_object))
		write_object(json, buffer);
	else if (json_object_is_type(json, json_type_array))
		write_array(json, buffer);
	else
		json_write(json, buffer);
}

static void write_part(struct json_object *object, Buffer *buffer)
{
	if (object)
		write_object(object, buffer);
	else
		buffer_text(buffer, "{}");
}

int fingerprint_request(const Request *request, Id *ret)
{
	_cleanup_buffer_ Buffer body = { 0 };
	int r;

	buffer_string(&body, request->name);
	write_part(request->data_pool, &body);
	write_part(request->metadata, &body);
	r = buffer_error(&body);
	if (r < 0)
		return r;
	id_fingerprint(body.data, body.size, ret);
	return 0;
}
