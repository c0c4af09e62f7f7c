/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written of runs: submissions, outcomes, refusals. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/promises_private.h"
#include "daemon/stored_reply.h"

static const LedgerState states[WALK_STATUS_MAX] = {
	[WALK_SUCCEEDED] = LEDGER_SUCCEEDED,
	[WALK_RECTIFIED] = LEDGER_RECTIFIED,
	[WALK_PARKED] = LEDGER_PARKED,
	[WALK_SETTLED] = LEDGER_SETTLED,
};

/* Without what it points to beyond the run's own. */
static LedgerRun describe(const Run *run)
{
	return (LedgerRun){
		.run = run->id,
		.state = states[run->status],
		.uid = run->peer.uid,
		.gid = run->peer.gid,
		.pid = (uint32_t)run->peer.pid,
		.request_id = run->request_id,
		.fingerprint = run->fingerprint,
		.program = run->program->spec->name,
		.module = run->catalog->identity,
		.build_id = run->catalog->build_id,
		.flags = run->process ? LEDGER_FLAG_PROCESS : 0,
		.start_by_usec = run->start_by_realtime_usec,
		.submitted_usec = run->submitted_usec,
		.begun_usec = run->begun_realtime_usec,
		.ended_usec = run->ended_realtime_usec,
		.error = run->error,
		.step = run->error_step,
		.promised = run->promised,
	};
}

static int promises_usable(const Promises *promises)
{
	return promises->ledger && !promises->problem ? 0 : -EUCLEAN;
}

/* Nobody will find it by its request id, and it never begins. */
static void submission_failed(Promises *promises, Run *run, int r)
{
	_cleanup_error_ Error error = { 0 };

	promises_leave(promises, run);
	if (r == -EIO) {
		run_disappoint(run);
		run_free(run);
		return;
	}
	error_set(&error, ERROR_STORE_DAMAGED, NULL, "the submission could not be stored: %s; nothing ran",
		  promises->problem ? promises->problem : strerror(-r));
	run_refuse(run, &error);
}

static void on_submitted(void *context, int r)
{
	Run *run = context;
	Promises *promises = take_ptr(run->keeper);

	TAILQ_REMOVE(&promises->promising, run, entry);
	promises->n_promising--;
	if (r < 0) {
		submission_failed(promises, run, r);
		return;
	}
	run->submitted = true;
	run->state = RUN_QUEUED;
	run_answer_queued(run);
	queue_push(promises->queue, run);
}

void promises_submit(Promises *promises, Run *run, const Buffer *arguments, const char *metadata_text, bool wait)
{
	LedgerRun submission = describe(run);
	int r = promises_usable(promises);

	submission.state = LEDGER_QUEUED;
	submission.flags |= wait ? LEDGER_FLAG_WAIT : 0;
	submission.has_arguments = true;
	submission.arguments = arguments->data;
	submission.arguments_size = arguments->size;
	submission.metadata = metadata_text;
	submission.promised = true;
	if (r == 0)
		r = ledger_submit(promises->ledger, &submission, on_submitted, run);
	if (r < 0) {
		submission_failed(promises, run, r);
		return;
	}
	run->state = RUN_PROMISING;
	run->keeper = promises;
	TAILQ_INSERT_TAIL(&promises->promising, run, entry);
	promises->n_promising++;
}

/* The step at which a parked run stands, and what stopped it there: its reply says so, FINISH what made it fail. */
static int describe_stand(const Run *run, LedgerRun *record)
{
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_buffer_ Buffer text = { 0 };
	struct json_object *parked, *member;
	JsonError error;
	int r;

	buffer_u8(&text, '{');
	buffer_append(&text, run->reply.data, run->reply.size);
	r = buffer_error(&text);
	if (r >= 0)
		r = json_parse((const char *)text.data, text.size, JSON_DEPTH_MAX, &reply, &error);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(reply, "parked", &parked))
		return 0;
	if (json_object_object_get_ex(parked, "step", &member))
		record->step = (uint32_t)json_object_get_int64(member);
	if (json_object_object_get_ex(parked, "name", &member) && json_object_is_type(member, json_type_string))
		record->error = error_from_name(json_object_get_string(member));
	return 0;
}

int promises_store(Promises *promises, Run *run, LedgerDone done, void *context)
{
	LedgerRun record = describe(run);
	int r = promises_usable(promises);

	if (!promises_keeps(run)) {
		promises_remember(promises, run, (const char *)run->reply.data, run->reply.size);
		return 1;
	}
	if (r < 0)
		return r;
	record.reply = (const char *)run->reply.data;
	record.reply_size = run->reply.size;
	if (run->status != WALK_PARKED)
		return ledger_finish(promises->ledger, &record, done, context);
	r = describe_stand(run, &record);
	if (r < 0)
		return r;
	record.records = run->records.data;
	record.records_size = run->records.size;
	return ledger_park(promises->ledger, &record, done, context);
}

/* A secret is not kept where nobody was promised that it would be. */
static bool has_secret_output(const Run *run)
{
	const SpecArgs *outputs = &run->program->spec->outputs;

	for (size_t i = 0; i < outputs->n; i++)
		if (outputs->items[i].secret)
			return true;
	return false;
}

/* Why a run failed is kept all the same. False where it could not be written. */
static bool without_secrets(const Run *run, const char *reply, size_t reply_size, Buffer *text)
{
	const SpecArgs *outputs = &run->program->spec->outputs;
	_cleanup_json_ struct json_object *tree = stored_reply_read(reply, reply_size);
	struct json_object *pool = stored_member(tree, "data_pool");

	for (size_t i = 0; pool && i < outputs->n; i++)
		if (outputs->items[i].secret || plan_key_secret(run->program->plan, outputs->items[i].name))
			json_object_object_del(pool, outputs->items[i].name);
	return tree && stored_reply_write(tree, text) == 0;
}

void promises_remember(Promises *promises, const Run *run, const char *reply, size_t reply_size)
{
	_cleanup_buffer_ Buffer masked = { 0 };
	LedgerRun record = describe(run);

	if (promises_usable(promises) < 0)
		return;
	if (!has_secret_output(run)) {
		record.reply = reply;
		record.reply_size = reply_size;
	} else if (run->error != ERROR_NONE && without_secrets(run, reply, reply_size, &masked)) {
		record.reply = (const char *)masked.data;
		record.reply_size = masked.size;
	}
	(void)ledger_remember(promises->ledger, &record); /* what is not remembered was not promised */
}

struct Refusal {
	TAILQ_ENTRY(Refusal) entry;
	Promises *promises;
	Id run;
	ErrorCode code;
	bool under_way;
	LedgerDone done; /* or NULL */
	void *context;
};

static void refusal_end(Refusal *refusal, int r)
{
	TAILQ_REMOVE(&refusal->promises->refusals, refusal, entry);
	if (refusal->done)
		refusal->done(refusal->context, r);
	free(refusal);
}

static void refusal_failed(Refusal *refusal, int r)
{
	Promises *promises = refusal->promises;

	if (r == -EUCLEAN || r == -ESHUTDOWN) {
		refusal_end(refusal, r);
		return;
	}
	if (promises->refuse_at_usec == 0)
		log_error("the refusal of a submission cannot be written to the ledger: %s; trying again every second",
			  strerror(-r));
	promises->refuse_at_usec = clock_monotonic() + PROMISES_RETRY_USEC;
}

static void on_refusal_written(void *context, int r)
{
	Refusal *refusal = context;

	refusal->under_way = false;
	if (r == 0 || r == -EALREADY)
		refusal_end(refusal, 0);
	else
		refusal_failed(refusal, r);
}

static int refusal_write(Refusal *refusal)
{
	const LedgerRun record = {
		.run = refusal->run,
		.state = LEDGER_REFUSED,
		.ended_usec = clock_realtime(),
		.error = refusal->code,
		.promised = true,
	};
	int r;

	r = ledger_finish(refusal->promises->ledger, &record, on_refusal_written, refusal);
	refusal->under_way = r == 0;
	return r;
}

int promises_refuse(Promises *promises, const Id *run, ErrorCode code, LedgerDone done, void *context)
{
	Refusal *refusal;
	int r = promises_usable(promises);

	if (r < 0)
		return r;
	refusal = calloc(1, sizeof(*refusal));
	if (!refusal)
		return -ENOMEM;
	*refusal = (Refusal){ .promises = promises, .run = *run, .code = code, .done = done, .context = context };
	r = refusal_write(refusal);
	if (r < 0) {
		free(refusal);
		return r;
	}
	TAILQ_INSERT_TAIL(&promises->refusals, refusal, entry);
	return 0;
}

void promises_refused(Promises *promises, const Run *run, ErrorCode code)
{
	int r = promises_refuse(promises, &run->id, code, NULL, NULL);

	if (r < 0)
		log_error(
			"run %s of %s: that it was refused with %s cannot be written to the ledger: %s; the next start "
			"finds it queued again",
			run->id_text, run->program->spec->name, error_name(code), strerror(-r));
}

void promises_refuse_again(Promises *promises)
{
	Refusal *refusal, *next;

	promises->refuse_at_usec = 0;
	for (refusal = TAILQ_FIRST(&promises->refusals); refusal; refusal = next) {
		int r = refusal->under_way ? 0 : refusal_write(refusal);

		next = TAILQ_NEXT(refusal, entry);
		if (r < 0)
			refusal_failed(refusal, r);
	}
}

void promises_disown(Promises *promises, const void *context)
{
	Refusal *refusal;

	TAILQ_FOREACH(refusal, &promises->refusals, entry)
	{
		if (refusal->context == context)
			refusal->done = NULL;
	}
	if (promises->ledger)
		ledger_disown(promises->ledger, context);
}

void promises_free_refusals(Promises *promises)
{
	Refusal *refusal;

	while ((refusal = TAILQ_FIRST(&promises->refusals)))
		refusal_end(refusal, -ESHUTDOWN);
}
