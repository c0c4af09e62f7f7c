/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier daemon's recorder says, run by run: what has ended goes to the ledger, what has not is taken up or
 * parked. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/recovery_private.h"

typedef struct Sought {
	uint64_t usec;
	bool done; /* wanted: one that is done already will do */
	bool found;
} Sought;

static int on_decision(void *context, const LedgerDecision *decision)
{
	Sought *sought = context;

	if (decision->usec == sought->usec && (sought->done || !decision->done))
		sought->found = true;
	return 0;
}

/* A run that had parked was taken up if what was decided about it is in its records: a decision that is still to be
 * done where the ledger calls it parked, any where it is resumed. */
static int was_taken_up(const Opening *opening, const RecoverRun *found, LedgerState state, bool *ret)
{
	Sought sought = { .usec = found->decided_usec, .done = state == LEDGER_RESUMED };
	int r = 0;

	if (sought.usec != 0)
		r = ledger_decisions(opening->recovery->promises->ledger, &found->start.run, on_decision, &sought);
	*ret = sought.found;
	return r == -ENOENT ? 0 : r;
}

/* 1: the recorder's is what counts; 0: the ledger's. \p known->run.state: LEDGER_STATE_MAX where the ledger does not know
 * the run. */
static int recorder_counts(const Opening *opening, const RecoverRun *found, LedgerFound *known)
{
	bool taken_up = false;
	int r;

	r = ledger_find(opening->recovery->promises->ledger, &found->start.run, known);
	if (r == -ENOENT) {
		known->run.state = LEDGER_STATE_MAX;
		return 1;
	}
	if (r < 0)
		return r;
	if (ledger_state_ended(known->run.state))
		return 0;
	if (known->run.state == LEDGER_QUEUED)
		return 1;
	r = was_taken_up(opening, found, known->run.state, &taken_up);
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
	if (!crew_has_module(crew, &run->catalog->identity)) {
		if (recovery_is_short(errno))
			return -errno;
		return remain_park(remain, ERROR_MODULE_CHANGED,
				   "the build of the module that it began with is not installed any more");
	}
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

/* By its own START, or where that is lost, by what the ledger has of it. 0: nothing is known but its id. */
static int make_run(Opening *opening, Remain *remain, const RecoverRun *found, const LedgerRun *known)
{
	int r;

	if (found->size > 0) {
		recovery_pack(&opening->file, opening->found.number, found->offset, found->size, &remain->packed);
		r = recovery_make_run(opening->recovery, &found->start, &remain->run);
	} else if (known->state != LEDGER_STATE_MAX) {
		r = recovery_make_from_ledger(opening->recovery, known, &remain->packed, &remain->run);
	} else {
		return 0;
	}
	if (r >= 0)
		r = buffer_error(&remain->packed);
	if (r < 0)
		return r;
	remain->run->submitted = known->state != LEDGER_STATE_MAX;
	remain->run->promised = remain->run->promised || remain->run->submitted;
	return 1;
}

static int take_remain(const Opening *opening, Remain *remain, const RecoverRun *found)
{
	if (found->finished && !found->broken)
		return take_finished(remain, found);
	if (found->finished)
		return remain_park(remain, ERROR_DAMAGED,
				   "it had parked, and the recorder that would say whether it was taken up again is "
				   "damaged");
	return take_unfinished(opening, remain, found);
}

int remains_take(Opening *opening, const RecoverRun *found)
{
	_cleanup_ledger_found_ LedgerFound known = { 0 };
	Remain *remain = NULL;
	char text[ID_TEXT_SIZE];
	int r;

	r = recorder_counts(opening, found, &known);
	if (r <= 0)
		return r;
	r = remain_add(opening, &remain);
	if (r >= 0)
		r = make_run(opening, remain, found, &known.run);
	if (r > 0)
		return take_remain(opening, remain, found);
	if (r == 0) {
		opening->n--;
		id_format(&found->start.run, text);
		log_line(LOG_CRIT, "run %s had begun, and nothing else is known of it: its records are damaged", text);
	}
	return r;
}

static bool is_known(const Opening *opening, const Id *run)
{
	const Recovered *found = &opening->found;

	for (size_t i = 0; i < opening->n; i++)
		if (id_equal(&opening->remains[i].run->id, run))
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

typedef struct Decided {
	LedgerDecision *items; /* owned; without their reasons */
	size_t n;
} Decided;

static int on_open_decision(void *context, const LedgerDecision *decision)
{
	Decided *decided = context;
	LedgerDecision *items = reallocarray(decided->items, decided->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	decided->items = items;
	items[decided->n] = *decision;
	items[decided->n++].reason = NULL;
	return 0;
}

typedef struct Doubting {
	Opening *opening;
	const LedgerDecision *decision;
} Doubting;

static int pack_decision(const LedgerDecision *decision, Buffer *records)
{
	static const RecordKind kinds[LEDGER_VERB_MAX] = {
		[LEDGER_RETRY] = RECORD_RETRY,
		[LEDGER_SKIP] = RECORD_SKIP,
		[LEDGER_CONFIRM] = RECORD_CONFIRM,
	};
	const RecordDecision record = {
		.step = decision->step,
		.flags = decision->flags,
		.uid = decision->uid,
		.usec = decision->usec,
	};
	_cleanup_buffer_ Buffer content = { 0 };

	record_encode_decision(&record, &content);
	record_pack(kinds[decision->verb], content.data, content.size, records);
	return buffer_error(&content) < 0 ? -ENOMEM : buffer_error(records);
}

/* Everything that is known of it, the decision, and then that more may have been done. */
static int doubt_decided(void *context, const LedgerRun *given)
{
	Doubting *doubting = context;
	Opening *opening = doubting->opening;
	_cleanup_buffer_ Buffer start = { 0 };
	Remain *remain = NULL;
	int r;

	if (opening->doubt == ERROR_NONE && !(given->flags & LEDGER_FLAG_PROCESS))
		return 0;
	r = remain_add(opening, &remain);
	if (r >= 0)
		r = recovery_make_from_ledger(opening->recovery, given, &start, &remain->run);
	if (r < 0)
		return r;
	remain->run->submitted = true;
	buffer_append(&remain->packed, given->records, given->records_size);
	r = pack_decision(doubting->decision, &remain->packed);
	if (r < 0)
		return r;
	return remain_park(remain, ERROR_DAMAGED,
			   "it had been decided to go on, and how far it went is not known any more");
}

/* In the same boot nothing that was recorded is lost; where no recorder was left, nothing was under way. */
static bool may_have_gone_on(const Opening *opening)
{
	return opening->doubt != ERROR_NONE || (opening->file.base && !opening->found.same_boot);
}

int remains_doubt_decisions(Opening *opening)
{
	Ledger *ledger = opening->recovery->promises->ledger;
	Decided decided = { 0 };
	int r;

	if (!may_have_gone_on(opening))
		return 0;
	r = ledger_decisions(ledger, NULL, on_open_decision, &decided);
	for (size_t i = 0; i < decided.n && r >= 0; i++) {
		Doubting doubting = { .opening = opening, .decision = &decided.items[i] };

		if (!is_known(opening, &decided.items[i].run))
			r = ledger_unpark(ledger, &decided.items[i].run, doubt_decided, &doubting);
	}
	free(decided.items);
	return r == -ENOENT ? 0 : r;
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
