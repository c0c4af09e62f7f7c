/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/calls_look.h"

#include <errno.h>

#include "base/clock.h"

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

void members_int(Members *members, const char *name, uint64_t value)
{
	members_add(members, name, json_object_new_int64((int64_t)MIN(value, (uint64_t)INT64_MAX)));
}

void members_bool(Members *members, const char *name, bool value)
{
	members_add(members, name, json_object_new_boolean(value));
}

struct json_object *members_end(Members *members)
{
	if (!members->ok) {
		json_object_put(members->object);
		members->object = NULL;
	}
	return members->object;
}

static int result(Members *members, struct json_object **ret)
{
	struct json_object *object = members_end(members);

	if (!object)
		return -ENOMEM;
	*ret = object;
	return 0;
}

int call_ping(const Calls *calls, Client *client, const char *parameter, struct json_object **ret, Error *error)
{
	Members members;

	(void)client;
	(void)parameter;
	(void)error;
	members_begin(&members);
	members_text(&members, "instance", calls->instance);
	members_text(&members, "version", PACKAGE_VERSION);
	return result(&members, ret);
}

static struct json_object *describe_module(const Crew *crew)
{
	const Catalog *catalog = crew->catalog;
	char fingerprint[ID_TEXT_SIZE];
	Members members;

	members_begin(&members);
	id_format(&catalog->fingerprint, fingerprint);
	members_text(&members, "name", catalog->spec->module);
	members_text(&members, "version", catalog->spec->version);
	members_text(&members, "path", crew->module_path);
	members_text(&members, "build_id", catalog->build_id);
	members_text(&members, "fingerprint", fingerprint);
	members_int(&members, "programs", catalog->n_programs);
	return members_end(&members);
}

static struct json_object *describe_running(const Run *run)
{
	const Plan *plan = run->program->plan;
	const RunCall *call = &run->call;
	const SpecHook *hook = call->attempt > 0 && call->op < plan->n_ops ? plan->ops[call->op].hook : NULL;
	uint64_t now = clock_monotonic();
	Members members;

	members_begin(&members);
	members_text(&members, "run", run->id_text);
	members_text(&members, "program", run->program->spec->name);
	members_int(&members, "step", call->step);
	members_int(&members, "steps", plan->n_steps);
	if (hook) {
		members_text(&members, "phase", call->rectifying ? "rectifier" : "hook");
		members_text(&members, "hook", hook->name);
		members_int(&members, "attempt", call->attempt);
	}
	members_int(&members, "since_usec", now > run->begun_usec ? now - run->begun_usec : 0);
	members_int(&members, "peer_uid", run->peer.uid);
	members_int(&members, "peer_pid", (uint64_t)run->peer.pid);
	return members_end(&members);
}

static struct json_object *count_runs(const Calls *calls)
{
	Members members;

	members_begin(&members);
	for (unsigned i = WALK_SUCCEEDED; i <= WALK_PARKED; i++)
		members_int(&members, walk_status_name((WalkStatus)i), calls->crew->n_ended[i]);
	members_int(&members, "refused", *calls->n_refused);
	return members_end(&members);
}

int call_status(const Calls *calls, Client *client, const char *parameter, struct json_object **ret, Error *error)
{
	Crew *crew = calls->crew;
	const char *message = NULL;
	Members members;

	(void)client;
	(void)parameter;
	(void)error;
	crew_look(crew);
	members_begin(&members);
	members_text(&members, "instance", calls->instance);
	members_text(&members, "version", PACKAGE_VERSION);
	members_text(&members, "state", calls->state(calls->context, &message));
	members_text(&members, "message", message);
	if (crew->catalog)
		members_add(&members, "module", describe_module(crew));
	if (crew->current)
		members_add(&members, "running", describe_running(crew->current));
	members_int(&members, "queued", crew->queue->n + crew->n_ordered - (crew->current ? 1 : 0));
	members_int(&members, "connections", calls->clients->n);
	members_int(&members, "parked", crew->n_ended[WALK_PARKED]);
	members_add(&members, "runs", count_runs(calls));
	members_int(&members, "workers_started", crew->n_started);
	if (crew->active)
		members_int(&members, "worker_pid", (uint64_t)crew->active->pid);
	return result(&members, ret);
}
