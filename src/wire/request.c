/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 128U /* bytes of a client's name for something that an error repeats */

/* What the envelope may hold, by kind. `read` checks the value and takes it. */
typedef struct Member {
	const char *name;
	bool of_program, of_call;
	int (*read)(Request *request, struct json_object *value, const char *path, Error *error);
} Member;

static int wrong(Error *error, const char *path, const char *expected, struct json_object *value)
{
	return error_set(error, ERROR_BAD_REQUEST, path, "expected %s, got %s", expected, json_kind(value));
}

static int read_object(struct json_object *value, const char *path, struct json_object **ret, Error *error)
{
	if (!json_object_is_type(value, json_type_object))
		return wrong(error, path, "object", value);
	*ret = value;
	return 0;
}

static int read_bool(struct json_object *value, const char *path, bool *ret, Error *error)
{
	if (!json_object_is_type(value, json_type_boolean))
		return wrong(error, path, "bool", value);
	*ret = json_object_get_boolean(value);
	return 0;
}

static int read_name(Request *request, struct json_object *value, const char *path, Error *error)
{
	if (!json_object_is_type(value, json_type_string))
		return wrong(error, path, "string", value);
	request->name = json_object_get_string(value);
	return 0;
}

static int read_data_pool(Request *request, struct json_object *value, const char *path, Error *error)
{
	return read_object(value, path, &request->data_pool, error);
}

static int read_metadata(Request *request, struct json_object *value, const char *path, Error *error)
{
	return value ? read_object(value, path, &request->metadata, error) : 0;
}

static int read_parameters(Request *request, struct json_object *value, const char *path, Error *error)
{
	return read_object(value, path, &request->parameters, error);
}

/* `id` is written anew rather than cut out of the text: white space and escapes may differ, the value does not. */
static int read_id(Request *request, struct json_object *value, const char *path, Error *error)
{
	_cleanup_buffer_ Buffer text = { 0 };
	size_t size;

	if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
		return wrong(error, path, "string, number, bool or null", value);
	json_write(value, &text);
	size = text.size;
	if (size > REQUEST_ECHO_MAX)
		return error_set(error, ERROR_BAD_REQUEST, path, "expected at most %u bytes of JSON, got %zu",
				 REQUEST_ECHO_MAX, size);
	request->id_text = buffer_take_text(&text);
	return request->id_text ? 0 : -ENOMEM;
}

static int read_request_id(Request *request, struct json_object *value, const char *path, Error *error)
{
	int size;

	if (!json_object_is_type(value, json_type_string))
		return wrong(error, path, "string", value);
	size = json_object_get_string_len(value);
	if (size < 1 || size > (int)REQUEST_ID_MAX)
		return error_set(error, ERROR_BAD_REQUEST, path, "expected 1 to %u bytes, got %d", REQUEST_ID_MAX,
				 size);
	request->request_id = json_object_get_string(value);
	return 0;
}

static int read_wait(Request *request, struct json_object *value, const char *path, Error *error)
{
	return read_bool(value, path, &request->wait, error);
}

static int read_follow(Request *request, struct json_object *value, const char *path, Error *error)
{
	return read_bool(value, path, &request->follow, error);
}

static int read_start_within(Request *request, struct json_object *value, const char *path, Error *error)
{
	double seconds;

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return wrong(error, path, "number", value);
	seconds = json_object_get_double(value);
	if (seconds < 0 || seconds > REQUEST_START_WITHIN_MAX)
		return error_set(error, ERROR_BAD_REQUEST, path, "expected 0 to %.0f seconds, got %.15g",
				 REQUEST_START_WITHIN_MAX, seconds);
	request->start_within = seconds;
	return 0;
}

static const Member members_known[] = {
	{ "id", true, true, read_id },
	{ "program", true, false, read_name },
	{ "call", false, true, read_name },
	{ "data_pool", true, false, read_data_pool },
	{ "metadata", true, false, read_metadata },
	{ "parameters", false, true, read_parameters },
	{ "request_id", true, false, read_request_id },
	{ "wait", true, false, read_wait },
	{ "follow", true, false, read_follow },
	{ "start_within", true, false, read_start_within },
};

static const Member *member_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(members_known); i++)
		if (strcmp(members_known[i].name, name) == 0)
			return &members_known[i];
	return NULL;
}

static bool member_belongs(const Member *member, RequestKind kind)
{
	return kind == REQUEST_CALL ? member->of_call : member->of_program;
}

static int member_read(const Member *member, Request *request, Error *error)
{
	char path[32];
	struct json_object *value;

	if (!json_object_object_get_ex(request->body, member->name, &value))
		return 0;
	snprintf(path, sizeof(path), "/%s", member->name);
	return member->read(request, value, path, error);
}

static const char *closest(const char *name, RequestKind kind)
{
	const char *candidates[ELEMENTSOF(members_known)];
	size_t n = 0;

	for (size_t i = 0; i < ELEMENTSOF(members_known); i++)
		if (member_belongs(&members_known[i], kind))
			candidates[n++] = members_known[i].name;
	return text_closest(name, candidates, n);
}

/* A JSON pointer to a member whose name is the client's. */
static int pointer(const char *name, char **ret)
{
	_cleanup_buffer_ Buffer shown = { 0 }, path = { 0 };

	text_escape(name, strlen(name), SHOWN_MAX, &shown);
	buffer_u8(&path, '/');
	for (size_t i = 0; i < shown.size; i++)
		if (shown.data[i] == '~')
			buffer_text(&path, "~0");
		else if (shown.data[i] == '/')
			buffer_text(&path, "~1");
		else
			buffer_u8(&path, shown.data[i]);
	*ret = shown.failed ? NULL : buffer_take_text(&path);
	return *ret ? 0 : -ENOMEM;
}

static int refuse_member(const char *name, RequestKind kind, Error *error)
{
	const char *owner = kind == REQUEST_CALL ? "a call" : "a request for a program";
	const char *meant = closest(name, kind);
	_cleanup_free_ char *path = NULL;
	int r = pointer(name, &path);

	if (r < 0)
		return r;
	if (member_find(name))
		return error_set(error, ERROR_BAD_REQUEST, path, "not a member of %s", owner);
	if (meant)
		return error_set(error, ERROR_BAD_REQUEST, path, "unknown member of %s; did you mean \"%s\"?", owner,
				 meant);
	return error_set(error, ERROR_BAD_REQUEST, path, "unknown member of %s", owner);
}

static int refuse_others(const Request *request, Error *error)
{
	json_object_object_foreach(request->body, name, value)
	{
		const Member *member = member_find(name);

		(void)value;
		if (!member || !member_belongs(member, request->kind))
			return refuse_member(name, request->kind, error);
	}
	return 0;
}

/* Neither `program` nor `call` is there; perhaps one of them is, misspelt. */
static int refuse_nameless(const Request *request, Error *error)
{
	static const char *const names[] = { "program", "call" };

	json_object_object_foreach(request->body, name, value)
	{
		const char *meant = member_find(name) ? NULL : text_closest(name, names, ELEMENTSOF(names));
		_cleanup_free_ char *path = NULL;
		int r;

		(void)value;
		if (!meant)
			continue;
		r = pointer(name, &path);
		if (r < 0)
			return r;
		return error_set(error, ERROR_BAD_REQUEST, path,
				 "expected a member \"program\" or \"call\", got none; did you mean \"%s\"?", meant);
	}
	return error_set(error, ERROR_BAD_REQUEST, NULL, "expected a member \"program\" or \"call\", got none");
}

static int read_kind(Request *request, Error *error)
{
	bool program = json_object_object_get_ex(request->body, "program", NULL);
	bool call = json_object_object_get_ex(request->body, "call", NULL);

	if (json_object_object_get_ex(request->body, "method", NULL))
		return error_set(error, ERROR_BAD_REQUEST, "/method",
				 "Varlink is not spoken here; expected a member \"program\" or \"call\"");
	if (program && call)
		return error_set(error, ERROR_BAD_REQUEST, "/call",
				 "expected one of \"program\" and \"call\", got both");
	return program || call ? 0 : refuse_nameless(request, error);
}

/* What the answer to a request that is wrong elsewhere needs. */
static void read_ahead(Request *request)
{
	struct json_object *program, *call, *name;
	bool is_program = json_object_object_get_ex(request->body, "program", &program);
	bool is_call = json_object_object_get_ex(request->body, "call", &call) && !is_program;

	name = is_call ? call : program;
	request->kind = is_call ? REQUEST_CALL : REQUEST_PROGRAM;
	request->name = json_object_is_type(name, json_type_string) ? json_object_get_string(name) : NULL;
}

static int read_body(Request *request, Error *error)
{
	int r;

	read_ahead(request);
	r = member_read(&members_known[0], request, error);
	if (r == 0)
		r = read_kind(request, error);
	for (size_t i = 1; r == 0 && i < ELEMENTSOF(members_known); i++)
		if (member_belongs(&members_known[i], request->kind))
			r = member_read(&members_known[i], request, error);
	return r < 0 ? r : refuse_others(request, error);
}

void request_done(Request *request)
{
	json_object_put(request->body);
	free(request->id_text);
	*request = (Request){ 0 };
}

int request_parse(const char *text, size_t size, size_t members, Request *ret, Error *error)
{
	JsonError json;
	int r;

	*ret = (Request){ .kind = REQUEST_PROGRAM, .wait = true, .start_within = -1 };
	r = json_build(text, size, members, &ret->body, &json);
	if (r == -EBADMSG)
		return error_set(error, ERROR_BAD_JSON, NULL, "%s, at byte %zu of the request", json.message,
				 json.offset);
	if (r < 0)
		return r;
	if (!json_object_is_type(ret->body, json_type_object))
		return error_set(error, ERROR_BAD_REQUEST, NULL, "expected object, got %s", json_kind(ret->body));
	return read_body(ret, error);
}
