/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/clock.h"
#include "daemon/calls_private.h"

int call_ping(Ask *ask, struct json_object **ret, Error *error)
{
	Members members;

	(void)error;
	members_begin(&members);
	members_text(&members, "instance", ask->calls->instance);
	members_text(&members, "version", PACKAGE_VERSION);
	return ask_result(&members, ret);
}

/* What somebody may not run does not exist for them. */
static size_t count_programs(const Ask *ask, const Catalog *catalog)
{
	size_t n = 0;

	for (size_t i = 0; i < catalog->n_programs; i++)
		n += access_permits(&catalog->programs[i].access, &ask->client->peer, ask->client->watch.fd);
	return n;
}

struct json_object *describe_module(const Crew *crew, size_t n_programs)
{
	const Catalog *catalog = crew->catalog;
	char fingerprint[ID_TEXT_SIZE];
	Members members;

	members_begin(&members);
	id_format(&catalog->fingerprint, fingerprint);
	members_text(&members, "name", catalog->spec->module);
	members_text(&members, "version", catalog->spec->version);
	members_text(&members, "path", crew->module.path);
	members_text(&members, "build_id", catalog->build_id);
	members_text(&members, "fingerprint", fingerprint);
	members_int(&members, "programs", n_programs);
	return members_end(&members);
}

static const char *phase_of(const RunCall *call)
{
	return call->rectifying ? "rectifier" : "hook";
}

static void describe_call(Members *members, const Run *run)
{
	const Plan *plan = run->program->plan;
	const RunCall *call = &run->call;
	const SpecHook *hook = call->attempt > 0 && call->op < plan->n_ops ? plan->ops[call->op].hook : NULL;
	uint64_t now = clock_monotonic();

	members_int(members, "step", call->step);
	members_int(members, "steps", plan->n_steps);
	if (hook) {
		members_text(members, "phase", phase_of(call));
		members_text(members, "hook", hook->name);
		members_int(members, "attempt", call->attempt);
	}
	members_int(members, "since_usec", now > run->begun_usec ? now - run->begun_usec : 0);
	members_int(members, "peer_uid", run->peer.uid);
	members_int(members, "peer_pid", (uint64_t)run->peer.pid);
}

struct json_object *describe_running(const Run *run)
{
	Members members;

	members_begin(&members);
	members_text(&members, "run", run->id_text);
	members_text(&members, "program", run->program->spec->name);
	describe_call(&members, run);
	return members_end(&members);
}

/* Another user's run: that there is one, and no more. */
static struct json_object *describe_another(const Run *run)
{
	uint64_t now = clock_monotonic();
	Members members;

	members_begin(&members);
	members_int(&members, "since_usec", now > run->begun_usec ? now - run->begun_usec : 0);
	return members_end(&members);
}

static struct json_object *count_runs(const Calls *calls)
{
	const Outcomes *outcomes = calls->crew->setup.outcomes;
	Members members;

	members_begin(&members);
	for (unsigned i = WALK_SUCCEEDED; i < WALK_STATUS_MAX; i++)
		members_int(&members, walk_status_name((WalkStatus)i), outcomes->counts[i]);
	members_int(&members, "refused", *calls->n_refused);
	return members_end(&members);
}

static struct json_object *describe_recorder(const Crew *crew)
{
	const Outcomes *outcomes = crew->setup.outcomes;
	Members members, last;

	members_begin(&last);
	members_int(&last, "records", outcomes->last_records);
	members_int(&last, "syncs", outcomes->last_syncs);
	members_begin(&members);
	members_int(&members, "records", outcomes->n_records);
	members_int(&members, "worker_syncs", outcomes->n_syncs);
	members_int(&members, "syncs", crew->recorder.n_syncs);
	members_int(&members, "renewals", crew->recorder.n_renewals);
	members_add(&members, "last_run", members_end(&last));
	return members_end(&members);
}

static void describe_ledger(Members *status, Ledger *ledger)
{
	LedgerCounts counts = { 0 };
	Members members;

	if (ledger_counts(ledger, &counts) < 0)
		return; /* it is damaged, and says so elsewhere */
	members_begin(&members);
	members_int(&members, "commits", counts.commits);
	members_int(&members, "works", counts.works);
	members_int(&members, "under_way", ledger_under_way(ledger));
	members_add(status, "ledger", members_end(&members));
}

static void describe_hold(Members *status, Ledger *ledger)
{
	LedgerHold hold = { 0 };
	Members members;

	if (ledger_held(ledger, &hold) < 0 || !hold.held)
		return;
	members_begin(&members);
	members_int(&members, "uid", hold.uid);
	members_text(&members, "reason", hold.reason);
	members_int(&members, "usec", hold.usec);
	members_add(status, "hold", members_end(&members));
}

static void describe_store(Members *status, const Calls *calls)
{
	const Promises *promises = calls->parking->promises;
	uint64_t parked;

	/* null: it is not known, since the store is not open or cannot be read */
	if (calls_count_parked(calls, &parked) == 0)
		members_int(status, "parked", parked);
	else
		members_null(status, "parked");
	members_int(status, "submitted", promises->n_submitted);
	members_bool(status, "held", promises->held);
	if (promises->ledger && promises->held)
		describe_hold(status, promises->ledger);
	members_add(status, "recorder", describe_recorder(calls->crew));
	if (promises->ledger)
		describe_ledger(status, promises->ledger);
}

int call_status(Ask *ask, struct json_object **ret, Error *error)
{
	const Calls *calls = ask->calls;
	Crew *crew = calls->crew;
	const char *message = NULL;
	Members members;

	(void)error;
	crew_look(crew);
	members_begin(&members);
	members_text(&members, "instance", calls->instance);
	members_text(&members, "version", PACKAGE_VERSION);
	members_text(&members, "state", calls->state(calls->context, &message));
	members_text(&members, "message", message);
	if (crew->catalog)
		members_add(&members, "module", describe_module(crew, count_programs(ask, crew->catalog)));
	if (crew->current)
		members_add(&members, "running",
			    ask_may_see(ask, crew->current->peer.uid) ? describe_running(crew->current)
								      : describe_another(crew->current));
	members_int(&members, "queued", crew->setup.queue->n + crew->n_ordered - (crew->current ? 1 : 0));
	members_int(&members, "connections", calls->clients->n);
	describe_store(&members, calls);
	members_add(&members, "runs", count_runs(calls));
	members_int(&members, "workers_started", crew->n_started);
	if (crew->active)
		members_int(&members, "worker_pid", (uint64_t)crew->active->pid);
	return ask_result(&members, ret);
}
