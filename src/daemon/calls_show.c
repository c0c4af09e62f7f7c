/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `show`: all that is known of a run, wherever it is; secrets left out. */
#include <errno.h>
#include <string.h>

#include "daemon/calls_show.h"
#include "daemon/stored_reply.h"

/* What is said of every run. Borrowed. */
typedef struct Facts {
	Id run, module;
	const char *status, *program, *request_id, *build_id;
	uint32_t uid, pid;
	struct json_object *metadata; /* or NULL */
	ErrorCode error;              /* of one that has ended */
	uint32_t step;
	uint64_t submitted_usec, begun_usec, ended_usec;
	bool parked;
	const char *reply; /* of one that has ended */
	size_t reply_size;
} Facts;

static Facts facts_of_run(const Run *run, RunPlace place)
{
	bool ended = place == PLACE_OUTCOMES && run->answered;
	bool parked = ended && run->status == WALK_PARKED;

	return (Facts){
		.run = run->id,
		.module = run->catalog->identity,
		.status = calls_status(run, place),
		.program = run->program->spec->name,
		.request_id = run->request_id,
		.build_id = run->catalog->build_id,
		.uid = run->peer.uid,
		.pid = (uint32_t)run->peer.pid,
		.metadata = run->metadata,
		.error = ended ? run->error : ERROR_NONE,
		.step = ended ? run->error_step : 0,
		.submitted_usec = run->submitted_usec,
		.begun_usec = run->begun_realtime_usec,
		.ended_usec = ended ? run->ended_realtime_usec : 0,
		.parked = parked,
		.reply = ended && !parked ? (const char *)run->reply.data : NULL,
		.reply_size = ended && !parked ? run->reply.size : 0,
	};
}

static Facts facts_of_stored(const LedgerRun *run)
{
	bool parked = run->state == LEDGER_PARKED;

	return (Facts){
		.run = run->run,
		.module = run->module,
		.status = ledger_run_status(run),
		.program = run->program,
		.request_id = run->request_id,
		.build_id = run->build_id,
		.uid = run->uid,
		.pid = run->pid,
		.error = run->error,
		.step = run->step,
		.submitted_usec = run->submitted_usec,
		.begun_usec = run->begun_usec,
		.ended_usec = run->ended_usec,
		.parked = parked,
		.reply = parked ? NULL : run->reply,
		.reply_size = parked ? 0 : run->reply_size,
	};
}

static struct json_object *describe_flags(uint32_t flags)
{
	Members members;

	members_begin(&members);
	if (flags & LEDGER_DECISION_UNDONE_BY_HAND)
		members_bool(&members, "undone_by_hand", true);
	if (flags & LEDGER_DECISION_CURRENT_MODULE)
		members_bool(&members, "current_module", true);
	return members_end(&members);
}

/* LedgerOnDecision */
static int on_decision(void *context, const LedgerDecision *decision)
{
	struct json_object *list = context, *item;
	Members members;

	members_begin(&members);
	members_text(&members, "verb", ledger_verb_name(decision->verb));
	members_int(&members, "step", decision->step);
	members_int(&members, "uid", decision->uid);
	members_text_or_null(&members, "reason", decision->reason);
	members_int(&members, "usec", decision->usec);
	members_bool(&members, "done", decision->done);
	members_add(&members, "flags", describe_flags(decision->flags));
	item = members_end(&members);
	if (item && json_object_array_add(list, item) == 0)
		return 0;
	json_object_put(item);
	return -ENOMEM;
}

static int add_decisions(const Calls *calls, const Facts *facts, Members *members, Error *error)
{
	Ledger *ledger = calls->parking->promises->ledger;
	_cleanup_json_ struct json_object *list = json_object_new_array();
	int r;

	if (!ledger)
		return 0;
	r = list ? ledger_decisions(ledger, &facts->run, on_decision, list) : -ENOMEM;
	if (r < 0 && r != -ENOENT)
		return ledger_trouble(calls, r, error);
	members_add(members, "decisions", take_ptr(list));
	return 0;
}

static const CatalogProgram *program_of(const Calls *calls, const Facts *facts)
{
	_cleanup_free_ char *problem = NULL;
	const Catalog *catalog = crew_catalog(calls->crew, &facts->module, &problem);

	return catalog && facts->program ? catalog_program(catalog, facts->program) : NULL;
}

/* What is not known to be no secret is left out. */
static void mask_outputs(const CatalogProgram *program, struct json_object *reply)
{
	if (!program) {
		json_object_object_del(reply, "data_pool");
		return;
	}
	for (size_t i = 0; i < program->spec->outputs.n; i++) {
		const SpecArg *output = &program->spec->outputs.items[i];

		if (output->secret || plan_key_secret(program->plan, output->name))
			json_object_object_del(stored_member(reply, "data_pool"), output->name);
	}
}

static void add_reply(const Calls *calls, const Facts *facts, Members *members)
{
	struct json_object *reply = stored_reply_read(facts->reply, facts->reply_size);
	const CatalogProgram *program = program_of(calls, facts);

	if (!reply)
		return;
	mask_outputs(program, reply);
	members_add(members, "reply", reply);
	if (program)
		members_add(members, "steps", show_ended_steps(program, reply));
}

/* Of one whose reply was not kept. */
static void add_error(const Facts *facts, Members *members)
{
	Members error;

	if (facts->error == ERROR_NONE)
		return;
	members_begin(&error);
	members_text(&error, "name", error_name(facts->error));
	if (facts->step > 0)
		members_int(&error, "step", facts->step);
	members_add(members, "error", members_end(&error));
}

/* Of one in hand: where it is, and what has become of its steps so far. */
static int add_running(const Calls *calls, const Run *run, Members *members)
{
	members_add(members, "running", describe_running(run));
	return members->ok ? show_running_steps(calls, run, members->object) : -ENOMEM;
}

static void add_origin(const Facts *facts, Members *members)
{
	members_int(members, "peer_uid", facts->uid);
	members_int(members, "peer_pid", facts->pid);
	members_text_or_null(members, "request_id", facts->request_id);
	if (facts->metadata)
		members_add(members, "metadata", json_object_get(facts->metadata));
	members_time(members, "submitted_usec", facts->submitted_usec);
	members_time(members, "begun_usec", facts->begun_usec);
	members_time(members, facts->parked ? "parked_usec" : "ended_usec", facts->ended_usec);
}

static int show(const Calls *calls, const Facts *facts, const Run *run, struct json_object **ret, Error *error)
{
	Members members;
	int r = 0;

	members_begin(&members);
	members_id(&members, "run", &facts->run);
	members_text_or_null(&members, "program", facts->program);
	members_text(&members, "status", facts->status);
	add_origin(facts, &members);
	if (facts->parked)
		members_time(&members, "store_moved_usec", calls_moved_usec(calls, facts->ended_usec));
	if (!id_is_null(&facts->module))
		members_add(&members, "module",
			    parking_describe_module(calls->parking, &facts->module, facts->build_id));
	if (run && run == calls->crew->current)
		r = add_running(calls, run, &members);
	if (facts->reply_size > 0)
		add_reply(calls, facts, &members);
	else if (!facts->parked)
		add_error(facts, &members);
	if (r >= 0)
		r = add_decisions(calls, facts, &members, error);
	if (r >= 0 && facts->parked && members.ok)
		r = parking_describe(calls->parking, &facts->run, members.object, error);
	if (r >= 0)
		return ask_result(&members, ret);
	json_object_put(members.object);
	return r;
}

int call_show(Ask *ask, struct json_object **ret, Error *error)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	RunPlace place;
	Facts facts;
	Run *run;
	Id id;
	int r;

	r = ask_run(ask, &id, error);
	if (r >= 0)
		r = ask_find(ask, &id, &run, &place, &found, error);
	if (r < 0)
		return r;
	facts = run ? facts_of_run(run, place) : facts_of_stored(&found.run);
	return show(ask->calls, &facts, run, ret, error);
}
