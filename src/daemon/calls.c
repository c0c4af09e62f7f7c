/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/calls.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "daemon/calls_look.h"

typedef struct Call {
	const char *name;
	const char *parameter; /* the one it takes, a string; NULL: none */
	int (*answer)(const Calls *calls, Client *client, const char *parameter, struct json_object **ret,
		      Error *error);
} Call;

static const Call table[] = {
	{ "describe", "program", call_describe },
	{ "list", NULL, call_list },
	{ "ping", NULL, call_ping },
	{ "status", NULL, call_status },
};

static int unknown_call(const char *name, Error *error)
{
	const char *names[ELEMENTSOF(table)];
	const char *closest;

	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		names[i] = table[i].name;
	closest = text_closest(name, names, ELEMENTSOF(names));
	return error_set(error, ERROR_BAD_REQUEST, "/call", "there is no such call%s%s%s",
			 closest ? " (did you mean \"" : "", closest ? closest : "", closest ? "\"?)" : "");
}

static int check_names(const Call *call, struct json_object *parameters, Error *error)
{
	json_object_object_foreach(parameters, name, member)
	{
		(void)member;
		if (!call->parameter || strcmp(name, call->parameter) != 0)
			return error_set(error, ERROR_BAD_REQUEST, "/parameters",
					 "%s takes no such parameter; expected %s", call->name,
					 call->parameter ? call->parameter : "none");
	}
	return 0;
}

static int check_parameters(const Call *call, struct json_object *parameters, const char **ret, Error *error)
{
	struct json_object *value = NULL;
	int r;

	*ret = NULL;
	r = parameters ? check_names(call, parameters, error) : 0;
	if (r < 0 || !call->parameter)
		return r;
	if (!parameters || !json_object_object_get_ex(parameters, call->parameter, &value))
		return error_set(error, ERROR_BAD_REQUEST, "/parameters", "%s needs the parameter %s", call->name,
				 call->parameter);
	if (!json_object_is_type(value, json_type_string))
		return error_set(error, ERROR_BAD_REQUEST, "/parameters", "%s: expected string, got %s",
				 call->parameter, json_kind(value));
	*ret = json_object_get_string(value);
	return 0;
}

static int answer(const Calls *calls, Client *client, const Request *request, struct json_object **ret, Error *error)
{
	const char *parameter;
	int r;

	for (size_t i = 0; i < ELEMENTSOF(table); i++) {
		if (strcmp(table[i].name, request->name) != 0)
			continue;
		r = check_parameters(&table[i], request->parameters, &parameter, error);
		return r < 0 ? r : table[i].answer(calls, client, parameter, ret, error);
	}
	return unknown_call(request->name, error);
}

void calls_answer(const Calls *calls, Client *client, Request *request)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_error_ Error error = { 0 };
	Slot *slot = client_slot(client, take_ptr(request->id_text));
	Buffer *text;
	size_t before;
	int r;

	if (!slot)
		return;
	r = answer(calls, client, request, &result, &error);
	if (r < 0 && r != -EBADMSG) {
		client_abandon(client);
		return;
	}
	text = slot_text(slot);
	before = text->size;
	if (r < 0)
		reply_write_call_error(slot->id_text, &error, text);
	else
		reply_write_result(slot->id_text, result, text);
	slot_written(slot, text->size - before);
	slot_done(slot);
}
