/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was decided is done: the run becomes an order again, or parks anew where nobody can take it up, or is settled as
 * it is where nobody ever can. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/parking_private.h"
#include "daemon/stored_reply.h"

/* ---- as an order ---- */

static int take_metadata(Run *run, const ParkedRun *parked)
{
	RecordRequest request;
	RecordStart start;
	JsonError error = { 0 };
	int r;

	r = parked_run_start(parked, &start);
	if (r < 0)
		return r;
	run->begun_realtime_usec = start.begun_realtime_usec;
	/* what cannot be read is missing in the journal, no more */
	if (start.request_size > 0 && record_decode_request(start.request, start.request_size, &request) == 0 &&
	    request.metadata_size > 0)
		json_parse(request.metadata, request.metadata_size, JSON_DEPTH_MAX, &run->metadata, &error);
	return 0;
}

static int take_order(Run *run, const ParkedRun *parked, const LedgerDecision *decision)
{
	static const RecordKind verbs[LEDGER_VERB_MAX] = {
		[LEDGER_RETRY] = RECORD_RETRY,
		[LEDGER_SKIP] = RECORD_SKIP,
		[LEDGER_CONFIRM] = RECORD_CONFIRM,
	};
	const OrderUnpark unpark = {
		.run = parked->id,
		.module = run->catalog->identity,
		.verb = verbs[decision->verb],
		.decision = {
			.step = decision->step,
			.flags = decision->flags,
			.uid = decision->uid,
			.usec = decision->usec,
			.reason = decision->reason,
			.reason_size = decision->reason ? strlen(decision->reason) : 0,
		},
		.records = parked->records.data,
		.records_size = parked->records.size,
	};

	order_encode_unpark(&unpark, &run->order);
	return buffer_error(&run->order);
}

static int make_run(const ParkedRun *parked, const LedgerDecision *decision, const Catalog *catalog, Run **ret)
{
	const Peer peer = { .uid = parked->uid, .gid = parked->gid, .pid = (pid_t)parked->pid };
	_cleanup_run_ Run *run = NULL;
	int r;

	r = run_new(catalog_program(catalog, parked->program), &peer, &run);
	if (r < 0)
		return r;
	run->id = parked->id;
	id_format(&run->id, run->id_text);
	run->state = RUN_QUEUED;
	run->catalog = catalog;
	run->promised = parked->promised;
	run->submitted = true;
	run->process = parked->flags & LEDGER_FLAG_PROCESS;
	run->taken_up = run->replaying = true;
	run->fingerprint = parked->fingerprint;
	run->submitted_usec = parked->submitted_usec;
	run->decided_usec = decision->usec;
	run->request_id = parked->request_id ? strdup(parked->request_id) : NULL;
	if (parked->request_id && !run->request_id)
		return -ENOMEM;
	r = take_metadata(run, parked);
	if (r >= 0)
		r = take_order(run, parked, decision);
	if (r >= 0)
		*ret = take_ptr(run);
	return r;
}

static int put_in_front(Parking *parking, Run *run)
{
	struct RunList list = TAILQ_HEAD_INITIALIZER(list);
	int r;

	r = run->request_id ? promises_enter(parking->promises, run) : 0;
	if (r < 0) {
		run_free(run);
		return r;
	}
	TAILQ_INSERT_TAIL(&list, run, entry);
	queue_return(parking->queue, &list);
	return 0;
}

/* ---- parked anew, or settled ---- */

static bool set_text(struct json_object *object, const char *name, const char *text)
{
	struct json_object *value = json_object_new_string(text);

	if (value && json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* The reply that it had, with what keeps it parked now. */
static int reply_of_changed(const ParkedRun *parked, const char *message, Buffer *ret)
{
	_cleanup_json_ struct json_object *tree = parked_run_reply(parked);
	struct json_object *why = stored_member(tree, "parked");

	if (!json_object_is_type(why, json_type_object)) {
		buffer_append(ret, parked->reply.data, parked->reply.size);
		return buffer_error(ret);
	}
	json_object_object_del(why, "reason");
	if (!set_text(why, "name", error_name(ERROR_MODULE_CHANGED)) || !set_text(why, "message", message))
		return -ENOMEM;
	return stored_reply_write(tree, ret);
}

static int reply_of_left(const ParkedRun *parked, Buffer *ret)
{
	_cleanup_json_ struct json_object *tree = parked_run_reply(parked);

	if (!tree) {
		buffer_append(ret, parked->reply.data, parked->reply.size);
		return buffer_error(ret);
	}
	json_object_object_del(tree, "parked");
	return set_text(tree, "status", walk_status_name(WALK_SETTLED)) ? stored_reply_write(tree, ret) : -ENOMEM;
}

static LedgerRun known_run(const ParkedRun *parked, const Buffer *reply)
{
	return (LedgerRun){
		.run = parked->id,
		.step = parked->step,
		.ended_usec = clock_realtime(),
		.reply = (const char *)reply->data,
		.reply_size = reply->size,
	};
}

static int park_anew(const Parking *parking, const ParkedRun *parked, const char *message)
{
	_cleanup_buffer_ Buffer reply = { 0 };
	char text[ID_TEXT_SIZE];
	LedgerRun run;
	int r;

	r = reply_of_changed(parked, message, &reply);
	if (r < 0)
		return r;
	run = known_run(parked, &reply);
	run.state = LEDGER_PARKED;
	run.error = ERROR_MODULE_CHANGED;
	run.records = parked->records.data;
	run.records_size = parked->records.size;
	id_format(&parked->id, text);
	log_line(LOG_CRIT, "run %s of %s stays parked: %s", text, parked->program ? parked->program : "(not known)",
		 message);
	return ledger_park(parking->promises->ledger, &run, NULL, NULL);
}

static int leave(const Parking *parking, const ParkedRun *parked)
{
	_cleanup_buffer_ Buffer reply = { 0 };
	LedgerRun run;
	int r;

	r = reply_of_left(parked, &reply);
	if (r < 0)
		return r;
	run = known_run(parked, &reply);
	run.state = LEDGER_SETTLED;
	run.error = parked->error;
	trace_left(parking->trace, parked->program, &parked->id);
	return ledger_finish(parking->promises->ledger, &run, NULL, NULL);
}

/* ---- decisions ---- */

static int take_loaded(Parking *parking, const LedgerDecision *decision, const ParkedRun *parked)
{
	const Catalog *catalog = parked_run_catalog(parking, parked, decision->flags);
	Run *run = NULL;
	int r;

	if (decision->verb == LEDGER_SKIP && !(decision->flags & LEDGER_DECISION_CURRENT_MODULE) &&
	    parked_run_is_lost(parking, parked))
		return leave(parking, parked);
	if (!catalog || !parked->program || !catalog_program(catalog, parked->program) ||
	    !crew_has_module(parking->crew, &catalog->identity))
		return park_anew(parking, parked,
				 "the build of the module that it is to go on with is not there any more");
	r = make_run(parked, decision, catalog, &run);
	if (r == -EBADMSG)
		return park_anew(parking, parked, "what is recorded of it does not hold");
	if (r < 0)
		return r;
	POINT("before-unpark");
	return put_in_front(parking, run);
}

int parking_take(Parking *parking, const LedgerDecision *decision)
{
	_cleanup_parked_run_ ParkedRun parked = { 0 };
	int r;

	/* what is stopping begins nothing; and what is on its way, or parks anew, is seen to */
	if (parking->crew->stopping || parking->promises->closing || parking_taken(parking, &decision->run) ||
	    outcomes_find(parking->crew->setup.outcomes, &decision->run))
		return 0;
	r = parked_run_load(parking, &decision->run, &parked);
	if (r == -ENOENT || r == -ESTALE)
		return 0; /* it has ended, or was resumed */
	return r < 0 ? r : take_loaded(parking, decision, &parked);
}

/* Copies of all that is open. */
typedef struct OpenDecisions {
	LedgerDecision *items;
	size_t n;
} OpenDecisions;

static void open_decisions_done(OpenDecisions *open)
{
	for (size_t i = 0; i < open->n; i++)
		free((char *)open->items[i].reason);
	free(open->items);
}

/* LedgerOnDecision */
static int on_open(void *context, const LedgerDecision *decision)
{
	OpenDecisions *open = context;
	LedgerDecision *items = reallocarray(open->items, open->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	open->items = items;
	items[open->n] = *decision;
	items[open->n].reason = decision->reason ? strdup(decision->reason) : NULL;
	if (decision->reason && !items[open->n].reason)
		return -ENOMEM;
	open->n++;
	return 0;
}

/* One that the recorder held at the start, decision and all, is taken up already. */
static int restore_one(Parking *parking, const LedgerDecision *decision)
{
	Run *run = crew_find(parking->crew, &decision->run);

	if (!run)
		return parking_take(parking, decision);
	if (!run->replaying && run->state == RUN_BEGUN && parking->crew->resumed_at == 0)
		parking_resumed(parking, run);
	return 0;
}

int parking_restore(Parking *parking)
{
	_cleanup_(open_decisions_done) OpenDecisions open = { 0 };
	int r;

	parking->again = false;
	r = ledger_decisions(parking->promises->ledger, NULL, on_open, &open);
	if (r == -ENOENT)
		r = 0;
	/* each goes before all that waits: the oldest last */
	for (size_t i = open.n; i > 0 && r >= 0; i--)
		if (restore_one(parking, &open.items[i - 1]) < 0)
			parking->again = true;
	return r;
}

void parking_retry(Parking *parking)
{
	if (!parking->again || !parking->promises->ledger || parking->crew->stopping)
		return;
	if (parking_restore(parking) < 0)
		parking->again = true;
}

/* LedgerDone: where it was not written, the recorder says it, too, and the run's end settles it. */
static void on_resumed(void *context, int r)
{
	const Parking *parking = context;

	if (r < 0 && r != -EALREADY)
		log_warning(
			"the ledger in %s still calls a run parked that was taken up: %s; it is told again when the "
			"run ends",
			parking->directory, strerror(-r));
}

void parking_resumed(Parking *parking, Run *run)
{
	int r;

	POINT("before-resume");
	r = ledger_resume(parking->promises->ledger, &run->id, on_resumed, parking);
	if (r < 0)
		on_resumed(parking, r);
}

static int fill_failed(const Parking *parking, Run *run)
{
	_cleanup_parked_run_ ParkedRun parked = { 0 };
	char message[256];
	int r;

	r = parked_run_load(parking, &run->id, &parked);
	if (r < 0)
		return r;
	snprintf(message, sizeof(message),
		 "no worker could take it up with build %s: that build is not to be had, or what is recorded does not "
		 "fit it",
		 run->catalog->build_id);
	buffer_clear(&run->reply);
	buffer_clear(&run->records);
	r = reply_of_changed(&parked, message, &run->reply);
	buffer_append(&run->records, parked.records.data, parked.records.size);
	run->status = WALK_PARKED;
	run->error = ERROR_MODULE_CHANGED;
	run->error_step = parked.step;
	run->ended_realtime_usec = clock_realtime();
	return r < 0 ? r : buffer_error(&run->records);
}

void parking_failed(Parking *parking, Run *run)
{
	int r = fill_failed(parking, run);

	if (r >= 0) {
		outcomes_add_durable(parking->crew->setup.outcomes, run);
		return;
	}
	log_line(LOG_CRIT, "run %s of %s could not be parked anew: %s; it is looked at again at the next start",
		 run->id_text, run->program->spec->name, strerror(-r));
	promises_leave(parking->promises, run);
	run_disappoint(run);
	run_free(run);
}
