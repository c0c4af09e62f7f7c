/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/calls.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "daemon/calls_private.h"

typedef enum ParameterType {
	PARAMETER_TEXT,
	PARAMETER_INT,
	PARAMETER_BOOL,
	PARAMETER_TYPE_MAX,
} ParameterType;

static const struct {
	const char *name;
	enum json_type json;
} types[PARAMETER_TYPE_MAX] = {
	[PARAMETER_TEXT] = { "string", json_type_string },
	[PARAMETER_INT] = { "int", json_type_int },
	[PARAMETER_BOOL] = { "bool", json_type_boolean },
};

typedef struct Parameter {
	const char *name; /* NULL: no more */
	ParameterType type;
	bool required;
} Parameter;

typedef struct CallKind {
	const char *name;
	bool operators_only;
	int (*answer)(Ask *ask, struct json_object **ret, Error *error);
	Parameter parameters[CALL_PARAMETERS_MAX];
} CallKind;

#define RUN                                 \
	{                                   \
		"run", PARAMETER_TEXT, true \
	}
#define STEP                                \
	{                                   \
		"step", PARAMETER_INT, true \
	}
#define REASON(required)                           \
	{                                          \
		"reason", PARAMETER_TEXT, required \
	}

/* clang-format off */
static const CallKind kinds[] = {
	{ "cancel", false, call_cancel, { RUN, { "now", PARAMETER_BOOL, false } } },
	{ "confirm", true, call_confirm, { RUN, STEP, REASON(true) } },
	{ "describe", false, call_describe, { { "program", PARAMETER_TEXT, true } } },
	{ "hold", true, call_hold, { REASON(false) } },
	{ "list", false, call_list, { { 0 } } },
	{ "metrics", false, call_metrics, { { 0 } } },
	{ "parked", true, call_parked, { { 0 } } },
	{ "ping", false, call_ping, { { 0 } } },
	{ "reload", true, call_reload, { { 0 } } },
	{ "resume", true, call_resume, { { 0 } } },
	{ "retry", true, call_retry, { RUN, STEP, { "current_module", PARAMETER_BOOL, false },
				       { "dry_run", PARAMETER_BOOL, false }, REASON(false) } },
	{ "runs", false, call_runs, { { "status", PARAMETER_TEXT, false }, { "program", PARAMETER_TEXT, false },
				      { "uid", PARAMETER_INT, false }, { "since", PARAMETER_INT, false },
				      { "limit", PARAMETER_INT, false } } },
	{ "show", false, call_show, { RUN } },
	{ "skip", true, call_skip, { RUN, STEP, { "undone_by_hand", PARAMETER_BOOL, false }, REASON(true) } },
	{ "status", false, call_status, { { 0 } } },
	{ "wait", false, call_wait, { RUN } },
	{ "watch", false, call_watch, { RUN } },
};
/* clang-format on */

int calls_init(Calls *calls)
{
	TAILQ_INIT(&calls->deferred);
	return access_operators(&calls->operators);
}

int calls_admit(Calls *calls)
{
	Access operators;
	int r;

	r = access_operators(&operators);
	if (r < 0)
		return r;
	access_done(&calls->operators);
	calls->operators = operators;
	return 0;
}

static void deferred_free(Deferred *deferred)
{
	TAILQ_REMOVE(&deferred->calls->deferred, deferred, entry);
	run_free(deferred->taken);
	free(deferred);
}

void calls_done(Calls *calls)
{
	Deferred *deferred;

	while ((deferred = TAILQ_FIRST(&calls->deferred)))
		deferred_free(deferred);
	access_done(&calls->operators);
}

/* ---- parameters ---- */

static struct json_object *ask_value(const Ask *ask, const char *name)
{
	for (size_t i = 0; i < CALL_PARAMETERS_MAX && ask->kind->parameters[i].name; i++)
		if (strcmp(ask->kind->parameters[i].name, name) == 0)
			return ask->values[i];
	return NULL;
}

bool ask_has(const Ask *ask, const char *parameter)
{
	return ask_value(ask, parameter) != NULL;
}

const char *ask_text(const Ask *ask, const char *parameter)
{
	return json_object_get_string(ask_value(ask, parameter));
}

int64_t ask_int(const Ask *ask, const char *parameter)
{
	return json_object_get_int64(ask_value(ask, parameter));
}

bool ask_bool(const Ask *ask, const char *parameter)
{
	return json_object_get_boolean(ask_value(ask, parameter));
}

int ask_run(const Ask *ask, Id *ret, Error *error)
{
	const char *text = ask_text(ask, "run");

	if (id_parse(text, ret) < 0)
		return error_set(error, ERROR_BAD_REQUEST, "/parameters/run",
				 "expected a run's id (32 hexadecimal characters), got \"%.40s\"", text);
	return 0;
}

bool ask_is_operator(const Ask *ask)
{
	return access_permits(&ask->calls->operators, &ask->client->peer, ask->client->watch.fd);
}

int ask_result(Members *members, struct json_object **ret)
{
	struct json_object *object = members_end(members);

	if (!object)
		return -ENOMEM;
	*ret = object;
	return 0;
}

static bool takes(const CallKind *kind, const char *name)
{
	for (size_t i = 0; i < CALL_PARAMETERS_MAX && kind->parameters[i].name; i++)
		if (strcmp(kind->parameters[i].name, name) == 0)
			return true;
	return false;
}

static void write_names(const CallKind *kind, Buffer *text)
{
	if (!kind->parameters[0].name)
		buffer_text(text, "none");
	for (size_t i = 0; i < CALL_PARAMETERS_MAX && kind->parameters[i].name; i++)
		buffer_format(text, "%s%s", i == 0 ? "" : ", ", kind->parameters[i].name);
}

static int check_names(const CallKind *kind, struct json_object *parameters, Error *error)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *names = NULL;

	json_object_object_foreach(parameters, name, member)
	{
		(void)member;
		if (takes(kind, name))
			continue;
		write_names(kind, &text);
		names = buffer_take_text(&text);
		return error_set(error, ERROR_BAD_REQUEST, "/parameters", "%s takes no such parameter; expected %s",
				 kind->name, names ? names : "another one");
	}
	return 0;
}

static int check_parameter(const CallKind *kind, const Parameter *parameter, struct json_object *parameters,
			   struct json_object **ret, Error *error)
{
	struct json_object *value = NULL;

	if (!parameters || !json_object_object_get_ex(parameters, parameter->name, &value)) {
		if (!parameter->required)
			return 0;
		return error_set(error, ERROR_BAD_REQUEST, "/parameters", "%s needs the parameter %s", kind->name,
				 parameter->name);
	}
	if (!json_object_is_type(value, types[parameter->type].json))
		return error_set(error, ERROR_BAD_REQUEST, "/parameters", "%s: expected %s, got %s", parameter->name,
				 types[parameter->type].name, json_kind(value));
	*ret = value;
	return 0;
}

static int check_parameters(Ask *ask, struct json_object *parameters, Error *error)
{
	const CallKind *kind = ask->kind;
	int r;

	r = parameters ? check_names(kind, parameters, error) : 0;
	for (size_t i = 0; r >= 0 && i < CALL_PARAMETERS_MAX && kind->parameters[i].name; i++)
		r = check_parameter(kind, &kind->parameters[i], parameters, &ask->values[i], error);
	return r;
}

/* ---- answers ---- */

static void write_answer(Slot *slot, struct json_object *result, const Error *error)
{
	Buffer *text = slot_text(slot);
	size_t before = text->size;

	if (result)
		reply_write_result(slot->id_text, result, text);
	else
		reply_write_call_error(slot->id_text, error, text);
	if (!result)
		metrics_refusal(slot->client->clients->metrics, error->code);
	slot_written(slot, text->size - before);
	slot_done(slot);
}

int deferred_new(Ask *ask, Deferred **ret)
{
	Deferred *deferred = calloc(1, sizeof(*deferred));

	if (!deferred)
		return -ENOMEM;
	deferred->calls = ask->calls;
	deferred->slot = ask->slot;
	deferred->uid = ask->client->peer.uid;
	ask->slot->holder = &deferred->slot;
	TAILQ_INSERT_TAIL(&ask->calls->deferred, deferred, entry);
	*ret = deferred;
	return 0;
}

void deferred_answer(Deferred *deferred, struct json_object *result)
{
	Slot *slot = take_ptr(deferred->slot);

	if (slot && result)
		write_answer(slot, result, NULL);
	else if (slot)
		client_abandon(slot->client);
	if (slot && !result)
		slot->holder = NULL;
	json_object_put(result);
	deferred_free(deferred);
}

void deferred_refuse(Deferred *deferred, const Error *error)
{
	Slot *slot = take_ptr(deferred->slot);

	if (slot)
		write_answer(slot, NULL, error);
	deferred_free(deferred);
}

void deferred_drop(Deferred *deferred)
{
	if (deferred->slot)
		deferred->slot->holder = NULL;
	deferred_free(deferred);
}

static int unknown_call(const char *name, Error *error)
{
	const char *names[ELEMENTSOF(kinds)];
	const char *closest;

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		names[i] = kinds[i].name;
	closest = text_closest(name, names, ELEMENTSOF(names));
	return error_set(error, ERROR_BAD_REQUEST, "/call", "there is no such call%s%s%s",
			 closest ? " (did you mean \"" : "", closest ? closest : "", closest ? "\"?)" : "");
}

static int answer(Ask *ask, const Request *request, struct json_object **ret, Error *error)
{
	int r;

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
		if (strcmp(kinds[i].name, request->name) != 0)
			continue;
		ask->kind = &kinds[i];
		if (kinds[i].operators_only && !ask_is_operator(ask))
			return error_set(error, ERROR_NOT_ALLOWED, NULL,
					 "%s is for root, the daemon's own user and members of the group %s",
					 kinds[i].name, ACCESS_OPERATORS);
		r = check_parameters(ask, request->parameters, error);
		return r < 0 ? r : kinds[i].answer(ask, ret, error);
	}
	return unknown_call(request->name, error);
}

void calls_refuse(Client *client, char *id_text, const Error *error)
{
	Slot *slot = client_slot(client, id_text);

	if (slot)
		write_answer(slot, NULL, error);
}

void calls_answer(Calls *calls, Client *client, Request *request)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_error_ Error error = { 0 };
	Ask ask = { .calls = calls, .client = client, .slot = client_slot(client, take_ptr(request->id_text)) };
	int r;

	if (!ask.slot)
		return;
	r = answer(&ask, request, &result, &error);
	if (r == 0)
		write_answer(ask.slot, result, NULL);
	else if (r == -EBADMSG)
		write_answer(ask.slot, NULL, &error);
	else if (r < 0)
		client_abandon(client);
}
