/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "worker/perform.h"

/* Where the taking up of a run stands. */
typedef struct Replay {
	Run *run;
	WalkAction action; /* the call in hand, while `begun` */
	bool begun;
	bool finished;
} Replay;

/* Waits were waited already. */
static int next_call(Replay *replay, uint64_t usec)
{
	int r;

	do
		r = walk_next(replay->run->walk, usec, &replay->action);
	while (r >= 0 && replay->action.kind == WALK_WAIT);
	if (r < 0)
		return r;
	return replay->action.kind == WALK_CALL ? 0 : -EBADMSG;
}

static int replay_begin(Replay *replay, const Record *record)
{
	const WalkAction *action = &replay->action;
	RecordBegin begin;
	int r;

	if (replay->begun)
		return -EBADMSG;
	r = record_decode_begin(record, &begin);
	if (r < 0)
		return r;
	r = next_call(replay, begin.usec);
	if (r < 0)
		return r;
	if (begin.op != action->op || begin.step != action->step || begin.attempt != action->attempt ||
	    begin.rectifying != action->rectifying)
		return -EBADMSG;
	replay->run->now_usec = begin.usec;
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

static int feed(Replay *replay, const RecordEnd *end, const PoolWrite *writes, size_t n_writes)
{
	_cleanup_free_ char *reason = NULL, *message = NULL, *program = NULL;
	Outcome outcome = {
		.kind = end->outcome,
		.error = end->error,
		.writes = writes,
		.n_writes = n_writes,
	};

	if (copy_text(end->reason, end->reason_size, &reason) < 0 ||
	    copy_text(end->message, end->message_size, &message) < 0 ||
	    copy_text(end->program, end->program_size, &program) < 0)
		return -ENOMEM;
	outcome.reason = reason;
	outcome.message = message;
	outcome.program = program;
	return walk_ended(replay->run->walk, &outcome);
}

static int replay_end(Replay *replay, const Record *record)
{
	PoolWrite *writes = NULL;
	size_t n_writes = 0;
	RecordEnd end;
	Reader reader;
	int r;

	r = record_decode_end(record, &end);
	if (r < 0)
		return r;
	if (!replay->begun || end.op != replay->action.op || end.attempt != replay->action.attempt)
		return -EBADMSG;
	reader = reader_make(end.writes, end.writes_size);
	r = pool_decode_writes(walk_pool(replay->run->walk), &reader, &writes, &n_writes);
	if (r < 0)
		return r;
	r = feed(replay, &end, writes, n_writes);
	pool_writes_free(writes, n_writes);
	if (end.rectifying)
		replay->run->rectified += end.writes_size;
	replay->run->now_usec = end.usec;
	replay->begun = false;
	return r;
}

static int replay_note(Replay *replay, const Record *record)
{
	RecordNote note;
	int r;

	r = record_decode_note(record, &note);
	return r < 0 ? r : notes_add(&replay->run->notes, &note);
}

static int replay_stop(Replay *replay, const Record *record)
{
	_cleanup_free_ char *message = NULL, *program = NULL;
	RecordStop stop;
	int r;

	if (replay->begun)
		return -EBADMSG;
	r = record_decode_stop(record, &stop);
	if (r < 0)
		return r;
	if (copy_text(stop.message, stop.message_size, &message) < 0 ||
	    copy_text(stop.program, stop.program_size, &program) < 0)
		return -ENOMEM;
	r = next_call(replay, replay->run->now_usec);
	return r < 0 ? r : walk_stop(replay->run->walk, stop.cause, program, message);
}

static int replay_finish(Replay *replay, const Record *record)
{
	RecordFinish finish;
	int r;

	r = record_decode_finish(record, &finish);
	if (r < 0)
		return r;
	replay->finished = true;
	return 0;
}

static int (*const replays[RECORD_KIND_MAX])(Replay *replay, const Record *record) = {
	[RECORD_BEGIN] = replay_begin, [RECORD_NOTE] = replay_note,     [RECORD_END] = replay_end,
	[RECORD_STOP] = replay_stop,   [RECORD_FINISH] = replay_finish,
};

/* From the record behind START to the tail. */
static int replay_all(Replay *replay, const RecordFile *file, size_t offset, uint64_t sequence)
{
	const RecordPage *page = record_page(file);
	uint64_t tail = atomic_load(&page->tail);
	Record record;
	int r;

	while (offset < tail && !replay->finished) {
		if (record_read(file->base, tail, offset, page->number, sequence++, &record) < 0 ||
		    !replays[record.kind])
			return -EBADMSG;
		r = replays[record.kind](replay, &record);
		if (r < 0)
			return r;
		offset += record.size;
	}
	return 0;
}

/* The attempt in hand has no end of its own: it ended with its process. */
static int interrupted(Replay *replay, const OrderResume *resume)
{
	_cleanup_free_ char *program = NULL, *message = NULL;
	Outcome outcome = { .kind = OUTCOME_UNKNOWN, .error = resume->cause };

	if (outcome.error == ERROR_NONE)
		outcome.error = ERROR_HOOK_UNKNOWN;
	if (copy_text(resume->program, resume->program_size, &program) < 0 ||
	    copy_text(resume->message, resume->message_size, &message) < 0)
		return -ENOMEM;
	outcome.program = program;
	outcome.message = message;
	return run_end(replay->run, &replay->action, &outcome);
}

int perform_resume(Worker *worker, const OrderResume *resume)
{
	const RecordFile *file = &worker->recorder;
	_cleanup_run_ Run run = { 0 };
	Replay replay = { .run = &run };
	RecordStart start;
	Record record;
	int r;

	r = record_read(file->base, atomic_load(&record_page(file)->tail), resume->offset, record_page(file)->number,
			RECORD_SEQUENCE_ANY, &record);
	if (r < 0 || record_decode_start(&record, &start) < 0)
		return -EBADMSG;
	r = run_init(&run, worker, &start);
	if (r < 0)
		return r;
	r = replay_all(&replay, file, resume->offset + record.size, record.sequence + 1);
	if (r < 0 || replay.finished)
		return r;
	if (replay.begun)
		r = interrupted(&replay, resume);
	run.now_usec = clock_monotonic();
	return r < 0 ? r : run_go_on(&run);
}
