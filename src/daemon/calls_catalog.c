/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "daemon/calls_private.h"

/* Where the store keeps the module from being used, that is what is to be said. */
static int no_module(const Calls *calls, Error *error)
{
	const Crew *crew = calls->crew;
	int r = calls_check_store(calls, error);

	if (r < 0)
		return r;
	return error_set(error, ERROR_NO_MODULE, NULL, "%s", crew->problem ? crew->problem : "no module is in use yet");
}

static struct json_object *describe_arg(const SpecArg *arg)
{
	Members members;

	members_begin(&members);
	members_text(&members, "name", arg->name);
	members_text(&members, "type", value_type_name(arg->type));
	members_bool(&members, "required", arg->required);
	members_bool(&members, "secret", arg->secret);
	if (arg->has_default && !arg->secret)
		members_add(&members, "default", value_to_json(&arg->fallback));
	members_text(&members, "description", arg->description);
	return members_end(&members);
}

static struct json_object *describe_args(const SpecArgs *args)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < args->n; i++)
		list = members_append(list, describe_arg(&args->items[i]));
	return list;
}

static struct json_object *describe_rectifiers(const SpecReferences *references)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < references->n; i++) {
		const SpecReference *reference = &references->items[i];

		list = members_append(list, json_object_new_string(reference->hook ? reference->hook->name
										   : reference->program->name));
	}
	return list;
}

static struct json_object *describe_steps(const Plan *plan)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; list && i < plan->n_steps; i++) {
		const SpecHook *hook = plan->ops[plan->steps[i].op].hook;
		Members members;

		members_begin(&members);
		members_int(&members, "step", i + 1);
		members_text(&members, "hook", hook->name);
		members_text(&members, "description", hook->description);
		members_bool(&members, "irreversible", plan->steps[i].irreversible);
		members_add(&members, "rectifiers", describe_rectifiers(&hook->rectifiers));
		list = members_append(list, members_end(&members));
	}
	return list;
}

int call_list(Ask *ask, struct json_object **ret, Error *error)
{
	const Catalog *catalog = ask->calls->crew->catalog;
	Client *client = ask->client;
	struct json_object *list;
	Members result;

	if (!catalog)
		return no_module(ask->calls, error);
	list = json_object_new_array();
	for (size_t i = 0; list && i < catalog->n_programs; i++) {
		const CatalogProgram *program = &catalog->programs[i];
		Members members;

		if (!access_permits(&program->access, &client->peer, client->watch.fd))
			continue;
		members_begin(&members);
		members_text(&members, "name", program->spec->name);
		members_text(&members, "description", program->spec->description);
		list = members_append(list, members_end(&members));
	}
	members_begin(&result);
	members_add(&result, "programs", list);
	return ask_result(&result, ret);
}

int call_describe(Ask *ask, struct json_object **ret, Error *error)
{
	const Catalog *catalog = ask->calls->crew->catalog;
	Client *client = ask->client;
	const CatalogProgram *program;
	Members members;

	if (!catalog)
		return no_module(ask->calls, error);
	program = catalog_program(catalog, ask_text(ask, "program"));
	if (!program || !access_permits(&program->access, &client->peer, client->watch.fd))
		return error_set(error, ERROR_UNKNOWN_PROGRAM, "/parameters/program",
				 "there is no program of that name");
	members_begin(&members);
	members_text(&members, "name", program->spec->name);
	members_text(&members, "description", program->spec->description);
	members_add(&members, "args", describe_args(&program->spec->args));
	members_add(&members, "outputs", describe_args(&program->spec->outputs));
	members_add(&members, "steps", describe_steps(program->plan));
	if (program->spec->timeout_usec)
		members_add(&members, "timeout",
			    json_object_new_double((double)program->spec->timeout_usec / USEC_PER_SEC));
	return ask_result(&members, ret);
}
