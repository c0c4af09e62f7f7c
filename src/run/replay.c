/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/replay.h"

#include <errno.h>
#include <string.h>

static bool is_text(const char *text, size_t size, const char *expected)
{
	return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

/* What a record asks of the walk and does not get cannot have been recorded. */
static int judge(int r)
{
	return r >= 0 || r == -ENOMEM ? r : -EBADMSG;
}

int replay_init(Replay *replay, const Plan *plan, const RecordStart *start)
{
	Reader arguments = reader_make(start->arguments, start->arguments_size);
	int r;

	*replay = (Replay){ .plan = plan, .run = start->run, .now_usec = start->begun_usec, .n_records = 1 };
	if (!is_text(start->program, start->program_size, plan->program->name))
		return -EBADMSG;
	replay->steps = zalloc((plan->n_steps + 1) * sizeof(*replay->steps));
	if (!replay->steps)
		return -ENOMEM;
	r = walk_start(plan, &arguments, start->begun_usec, &replay->walk);
	if (r < 0)
		return judge(r);
	return reader_left(&arguments) > 0 ? -EBADMSG : 0;
}

void replay_done(Replay *replay)
{
	walk_free(replay->walk);
	notes_done(&replay->notes);
	free(replay->steps);
	free(replay->last_reason);
	*replay = (Replay){ 0 };
}

/* Waits were waited already. */
static int next_action(Replay *replay, uint64_t usec)
{
	int r;

	do
		r = walk_next(replay->walk, usec, &replay->action);
	while (r >= 0 && replay->action.kind == WALK_WAIT);
	return r;
}

static int feed_begin(Replay *replay, const Record *record)
{
	const WalkAction *action = &replay->action;
	RecordBegin begin;
	int r;

	r = record_decode_begin(record, &begin);
	if (r < 0 || replay->begun)
		return -EBADMSG;
	r = next_action(replay, begin.usec);
	if (r < 0)
		return judge(r);
	if (action->kind != WALK_CALL || begin.op != action->op || begin.step != action->step ||
	    begin.attempt != action->attempt || begin.rectifying != action->rectifying ||
	    begin.in_doubt != action->in_doubt)
		return -EBADMSG;
	if (!begin.rectifying)
		replay->steps[begin.step - 1].attempts++;
	replay->now_usec = begin.usec;
	replay->begun = true;
	return 0;
}

/* NULL for an empty text. */
static int copy_text(const char *text, size_t size, char **ret)
{
	if (size == 0)
		return 0;
	*ret = strndup(text, size);
	return *ret ? 0 : -ENOMEM;
}

static int tell_end(Replay *replay, const RecordEnd *end, const PoolWrite *writes, size_t n_writes)
{
	_cleanup_free_ char *reason = NULL, *message = NULL, *program = NULL;
	Outcome outcome = {
		.kind = end->outcome,
		.error = end->error,
		.writes = writes,
		.n_writes = n_writes,
	};
	int r;

	if (copy_text(end->reason, end->reason_size, &reason) < 0 ||
	    copy_text(end->message, end->message_size, &message) < 0 ||
	    copy_text(end->program, end->program_size, &program) < 0)
		return -ENOMEM;
	outcome.reason = reason;
	outcome.message = message;
	outcome.program = program;
	r = walk_ended(replay->walk, &outcome);
	if (r < 0)
		return judge(r);
	if (end->rectifying)
		replay->rectified += end->writes_size;
	else if (end->usec > replay->now_usec)
		replay->steps[end->step - 1].usec += end->usec - replay->now_usec;
	replay->now_usec = end->usec;
	replay->begun = false;
	return 0;
}

static int feed_end(Replay *replay, const Record *record)
{
	const WalkAction *action = &replay->action;
	PoolWrite *writes = NULL;
	size_t n_writes = 0;
	RecordEnd end;
	Reader reader;
	int r;

	r = record_decode_end(record, &end);
	if (r < 0 || !replay->begun || end.op != action->op || end.step != action->step ||
	    end.attempt != action->attempt || end.rectifying != action->rectifying)
		return -EBADMSG;
	reader = reader_make(end.writes, end.writes_size);
	r = pool_decode_writes(walk_pool(replay->walk), &reader, &writes, &n_writes);
	if (r < 0)
		return judge(r);
	r = reader_left(&reader) > 0 ? -EBADMSG : tell_end(replay, &end, writes, n_writes);
	pool_writes_free(writes, n_writes);
	return r;
}

static int feed_note(Replay *replay, const Record *record)
{
	RecordNote note;
	int r;

	r = record_decode_note(record, &note);
	if (r < 0 || !replay->begun || note.step != replay->action.step)
		return -EBADMSG;
	return notes_add(&replay->notes, &note);
}

static int feed_stop(Replay *replay, const Record *record)
{
	_cleanup_free_ char *message = NULL, *program = NULL;
	RecordStop stop;
	int r;

	r = record_decode_stop(record, &stop);
	if (r < 0 || replay->begun)
		return -EBADMSG;
	if (copy_text(stop.message, stop.message_size, &message) < 0 ||
	    copy_text(stop.program, stop.program_size, &program) < 0)
		return -ENOMEM;
	return judge(walk_stop(replay->walk, stop.cause, program, message));
}

/* Who does not have the plan parks a run wherever its records end: also where it had come to its end, or was to park by
 * itself. */
static int feed_park(Replay *replay, const Record *record)
{
	_cleanup_free_ char *message = NULL;
	RecordPark park;
	int r;

	r = record_decode_park(record, &park);
	if (r < 0 || replay->begun || replay->parked)
		return -EBADMSG;
	if (copy_text(park.message, park.message_size, &message) < 0)
		return -ENOMEM;
	r = walk_park(replay->walk, park.code, message);
	replay->set_aside = r == -EALREADY;
	replay->parked = r >= 0 || replay->set_aside;
	return replay->parked ? 0 : judge(r);
}

static int bar(Replay *replay, const RecordTaken *taken)
{
	_cleanup_free_ char *message = NULL;

	if (!taken->barred)
		return 0;
	if (copy_text(taken->message, taken->message_size, &message) < 0)
		return -ENOMEM;
	return judge(walk_bar(replay->walk, message));
}

static int feed_taken(Replay *replay, const Record *record)
{
	RecordTaken taken;
	int r;

	r = record_decode_taken(record, &taken);
	if (r < 0 || replay->parked)
		return -EBADMSG;
	replay->interruptions = taken.interruptions;
	r = walk_taken(replay->walk);
	return r < 0 ? judge(r) : bar(replay, &taken);
}

static int feed_finish(Replay *replay, const Record *record)
{
	RecordFinish finish;
	WalkStatus status;
	int r;

	r = record_decode_finish(record, &finish);
	if (r < 0 || replay->begun || !id_equal(&finish.run, &replay->run))
		return -EBADMSG;
	r = next_action(replay, replay->now_usec);
	if (r < 0)
		return judge(r);
	status = replay->set_aside ? WALK_PARKED : walk_status(replay->walk);
	if (replay->action.kind != WALK_END || finish.status != status)
		return -EBADMSG;
	replay->finished = true;
	replay->error = finish.error;
	replay->now_usec = finish.usec;
	return 0;
}

/* Where the run was parked without its plan, the step that it stands at was not known: it is 0 then. */
static int retry(Replay *replay, uint32_t step)
{
	WalkError parked;

	if (replay->set_aside)
		return 0;
	walk_parked(replay->walk, &parked);
	return walk_retry(replay->walk, step == 0 ? parked.step : step);
}

static int decide(Replay *replay, RecordKind verb, uint32_t step)
{
	if (verb == RECORD_RETRY)
		return retry(replay, step);
	if (replay->set_aside)
		return -EPERM;
	return verb == RECORD_SKIP ? walk_skip(replay->walk, step) : walk_confirm(replay->walk, step);
}

static int feed_decision(Replay *replay, const Record *record)
{
	_cleanup_free_ char *reason = NULL;
	RecordDecision decision;
	int r;

	r = record_decode_decision(record, &decision);
	if (r < 0 || !(replay->finished || replay->parked))
		return -EBADMSG;
	if (copy_text(decision.reason, decision.reason_size, &reason) < 0)
		return -ENOMEM;
	r = decide(replay, record->kind, decision.step);
	if (r < 0)
		return judge(r);
	if (record->kind == RECORD_SKIP && (decision.flags & RECORD_DECISION_UNDONE_BY_HAND))
		walk_undone_by_hand(replay->walk, decision.step);
	free(replay->last_reason);
	replay->last_reason = take_ptr(reason);
	replay->decided_usec = decision.usec;
	replay->finished = replay->parked = replay->set_aside = false;
	replay->error = ERROR_NONE;
	return 0;
}

/* Between the run's own records, of another one. */
static int feed_unbegun(Replay *replay, const Record *record)
{
	RecordUnbegun unbegun;
	int r;

	r = record_decode_unbegun(record, &unbegun);
	if (r < 0 || id_equal(&unbegun.run, &replay->run))
		return -EBADMSG;
	replay->n_records--;
	return 0;
}

static int (*const feeds[RECORD_KIND_MAX])(Replay *replay, const Record *record) = {
	[RECORD_BEGIN] = feed_begin,   [RECORD_NOTE] = feed_note,        [RECORD_END] = feed_end,
	[RECORD_STOP] = feed_stop,     [RECORD_FINISH] = feed_finish,    [RECORD_RETRY] = feed_decision,
	[RECORD_SKIP] = feed_decision, [RECORD_CONFIRM] = feed_decision, [RECORD_PARK] = feed_park,
	[RECORD_TAKEN] = feed_taken,   [RECORD_UNBEGUN] = feed_unbegun,
};

int replay_feed(Replay *replay, const Record *record)
{
	int r;

	if (record->kind >= RECORD_KIND_MAX || !feeds[record->kind])
		return -EBADMSG;
	if (replay->finished && !record_is_decision(record->kind))
		return -EBADMSG;
	r = feeds[record->kind](replay, record);
	if (r >= 0)
		replay->n_records++;
	return r;
}

int replay_break(Replay *replay, const ReplayCause *cause, uint64_t now_usec, RecordEnd *ret)
{
	static const uint8_t no_writes[sizeof(uint32_t)];
	const WalkAction *action = &replay->action;
	RecordEnd end = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.outcome = OUTCOME_UNKNOWN,
		.error = cause->code == ERROR_NONE ? ERROR_HOOK_UNKNOWN : cause->code,
		.usec = now_usec,
		.message = cause->message,
		.message_size = cause->message ? strnlen(cause->message, RECORD_MESSAGE_MAX) : 0,
		.program = cause->program,
		.program_size = cause->program ? strnlen(cause->program, SPEC_NAME_MAX) : 0,
		.writes = no_writes,
		.writes_size = sizeof(no_writes),
	};
	int r;

	if (!replay->begun)
		return -EINVAL;
	r = tell_end(replay, &end, NULL, 0);
	if (r < 0)
		return r;
	*ret = end;
	return 0;
}
