/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier daemon's recorder says, run by run: what has ended goes to the ledger, what has not is taken up or
 * parked. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/recovery_private.h"

/* When the last decision about a run was taken, by its records. */
static uint64_t last_decision(const Opening *opening, const RecoverRun *found)
{
	size_t offset = found->offset, end = found->offset + found->size;
	RecordDecision decision;
	uint64_t usec = 0;
	Record record;

	while (offset < end &&
	       record_read(opening->file.base, end, offset, opening->found.number, RECORD_SEQUENCE_ANY, &record) == 0) {
		if ((record.kind == RECORD_RETRY || record.kind == RECORD_SKIP || record.kind == RECORD_CONFIRM) &&
		    record_decode_decision(&record, &decision) == 0)
			usec = decision.usec;
		offset += record.size;
	}
	return usec;
}

typedef struct Sought {
	uint64_t usec;
	bool found;
} Sought;

static int on_decision(void *context, const LedgerDecision *decision)
{
	Sought *sought = context;

	if (!decision->done && decision->usec == sought->usec)
		sought->found = true;
	return 0;
}

/* A run that the ledger holds as parked was taken up if the decision to be done is in its records. */
static int was_taken_up(const Opening *opening, const RecoverRun *found, bool *ret)
{
	Sought sought = { .usec = last_decision(opening, found) };
	int r = 0;

	if (sought.usec != 0)
		r = ledger_decisions(opening->recovery->promises->ledger, &found->start.run, on_decision, &sought);
	*ret = sought.found;
	return r == -ENOENT ? 0 : r;
}

/* 1: the recorder's is what counts; 0: the ledger's. \p ret_known: the ledger knows the run. */
static int recorder_counts(const Opening *opening, const RecoverRun *found, bool *ret_known)
{
	_cleanup_ledger_found_ LedgerFound known = { 0 };
	bool taken_up = false;
	int r;

	*ret_known = true;
	r = ledger_find(opening->recovery->promises->ledger, &found->start.run, &known);
	if (r == -ENOENT) {
		*ret_known = false;
		return 1;
	}
	if (r < 0)
		return r;
	if (ledger_state_ended(known.run.state))
		return 0;
	if (known.run.state != LEDGER_PARKED)
		return 1;
	r = was_taken_up(opening, found, &taken_up);
	return r < 0 ? r : taken_up;
}

static int remain_add(Opening *opening, Remain **ret)
{
	Remain *remains = reallocarray(opening->remains, opening->n + 1, sizeof(*remains));

	if (!remains)
		return -ENOMEM;
	opening->remains = remains;
	remains[opening->n] = (Remain){ 0 };
	*ret = &remains[opening->n++];
	return 0;
}

static int remain_park(Remain *remain, ErrorCode code, const char *message)
{
	int r = recovery_make_parked(remain->run, remain->packed.data, remain->packed.size, code, message);

	if (r < 0)
		return r;
	buffer_clear(&remain->packed);
	buffer_append(&remain->packed, remain->run->records.data, remain->run->records.size);
	remain->finished = true;
	return buffer_error(&remain->packed);
}

/* It has ended; the ledger is to have its outcome. */
static int take_finished(Remain *remain, const RecoverRun *found)
{
	Run *run = remain->run;

	run->status = found->finish.status;
	run->error = found->finish.error;
	run->error_step = found->finish.error_step;
	run->ended_realtime_usec = clock_realtime();
	buffer_append(&run->reply, found->finish.reply, found->finish.reply_size);
	if (run->status == WALK_PARKED)
		buffer_append(&run->records, remain->packed.data, remain->packed.size);
	remain->finished = true;
	return buffer_error(&run->reply) < 0 ? -ENOMEM : buffer_error(&run->records);
}

static int add_taken(Remain *remain, const RecoverVerdict *verdict)
{
	const RecordTaken taken = {
		.interruptions = verdict->interruptions,
		.barred = verdict->barred,
		.message = verdict->message,
		.message_size = verdict->barred ? strlen(verdict->message) : 0,
		.usec = clock_realtime(),
	};
	_cleanup_buffer_ Buffer content = { 0 };

	record_encode_taken(&taken, &content);
	record_pack(RECORD_TAKEN, content.data, content.size, &remain->packed);
	return buffer_error(&content) < 0 ? -ENOMEM : buffer_error(&remain->packed);
}

/* It has not ended: taken up, or parked. */
static int take_unfinished(const Opening *opening, Remain *remain, const RecoverRun *found)
{
	Crew *crew = opening->recovery->crew;
	Run *run = remain->run;
	const Plan *plan = run->program->plan->n_ops > 0 ? run->program->plan : NULL;
	_cleanup_replay_ Replay replay = { 0 };
	RecoverRun judged = *found;
	RecoverVerdict verdict;
	int r = 0;

	if (plan) {
		r = replay_packed(&replay, plan, remain->packed.data, remain->packed.size);
		if (r == -EBADMSG)
			judged.broken = true;
		else if (r < 0)
			return r;
	}
	recover_decide(&opening->found, &judged, plan && r == 0 ? &replay : NULL, &verdict);
	r = add_taken(remain, &verdict);
	if (r < 0)
		return r;
	if (verdict.act == RECOVER_PARK)
		return remain_park(remain, verdict.code, verdict.message);
	if (!crew_has_module(crew, &run->catalog->identity))
		return remain_park(remain, ERROR_MODULE_CHANGED,
				   "the build of the module that it began with is not installed any more");
	/* what the daemon shows of the attempt in hand, and says of it when it ends */
	if (replay.begun)
		run->call = (RunCall){
			.op = replay.action.op,
			.step = replay.action.step,
			.attempt = replay.action.attempt,
			.rectifying = replay.action.rectifying,
			.in_hand = true,
			.since_usec = opening->found.same_boot ? replay.now_usec : clock_monotonic(),
		};
	remain->stop = verdict.act == RECOVER_RECTIFY ? ERROR_INTERRUPTED : ERROR_NONE;
	memcpy(remain->why, verdict.message, sizeof(remain->why));
	return 0;
}

int remains_take(Opening *opening, const RecoverRun *found)
{
	Remain *remain = NULL;
	bool known;
	int r;

	r = recorder_counts(opening, found, &known);
	if (r <= 0)
		return r;
	r = remain_add(opening, &remain);
	if (r < 0)
		return r;
	r = recovery_make_run(opening->recovery, &found->start, &remain->run);
	if (r < 0)
		return r;
	remain->run->submitted = known;
	remain->run->promised = remain->run->promised || known;
	recovery_pack(&opening->file, opening->found.number, found->offset, found->size, &remain->packed);
	if (buffer_error(&remain->packed) < 0)
		return -ENOMEM;
	return found->finished ? take_finished(remain, found) : take_unfinished(opening, remain, found);
}

static bool is_known(const Opening *opening, const Id *run)
{
	const Recovered *found = &opening->found;

	for (size_t i = 0; i < found->n; i++)
		if (id_equal(&found->runs[i].start.run, run))
			return true;
	for (size_t i = 0; i < found->n_unbegun; i++)
		if (id_equal(&found->unbegun[i].run, run))
			return true;
	return false;
}

/* Of a store that is damaged or was moved, what the ledger calls queued may have begun, and even ended. */
int remains_doubt(void *context, const LedgerRun *given)
{
	Opening *opening = context;
	Remain *remain = NULL;
	int r;

	if (is_known(opening, &given->run))
		return 0;
	r = remain_add(opening, &remain);
	if (r >= 0)
		r = recovery_make_from_ledger(opening->recovery, given, &remain->packed, &remain->run);
	if (r < 0)
		return r;
	remain->run->submitted = true;
	return remain_park(remain, opening->doubt,
			   opening->doubt == ERROR_DAMAGED
				   ? "it may have begun: the recorder that would say so is damaged"
				   : "it may have run elsewhere: the store was copied, or restored from a backup");
}

/* A submission that never began, and was refused, is not to begin now. */
int remains_take_unbegun(Opening *opening)
{
	Recovery *recovery = opening->recovery;
	const Recovered *found = &opening->found;

	free(take_ptr(recovery->unbegun));
	recovery->n_unbegun = 0;
	buffer_clear(&opening->unbegun);
	if (found->n_unbegun == 0)
		return 0;
	recovery->unbegun = calloc(found->n_unbegun, sizeof(*recovery->unbegun));
	if (!recovery->unbegun)
		return -ENOMEM;
	for (size_t i = 0; i < found->n_unbegun; i++) {
		_cleanup_ledger_found_ LedgerFound known = { 0 };
		_cleanup_buffer_ Buffer content = { 0 };
		int r;

		r = ledger_find(recovery->promises->ledger, &found->unbegun[i].run, &known);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r < 0 || known.run.state != LEDGER_QUEUED)
			continue;
		record_encode_unbegun(&found->unbegun[i], &content);
		record_pack(RECORD_UNBEGUN, content.data, content.size, &opening->unbegun);
		recovery->unbegun[recovery->n_unbegun++] = found->unbegun[i].run;
		if (buffer_error(&content) < 0)
			return -ENOMEM;
	}
	return buffer_error(&opening->unbegun);
}
