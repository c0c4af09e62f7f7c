/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "worker/perform.h"

/* From the record behind START to the tail; a run that is finished goes on only by a decision. */
static int feed_all(Run *run, size_t offset, uint64_t sequence)
{
	const RecordFile *file = &run->worker->recorder;
	const RecordPage *page = record_page(file);
	uint64_t tail = atomic_load(&page->tail);
	Record record;
	int r;

	while (offset < tail) {
		if (record_read(file->base, tail, offset, page->number, sequence++, &record) < 0)
			return -EBADMSG;
		if (run->replay.finished && !record_is_decision(record.kind))
			break;
		r = replay_feed(&run->replay, &record);
		if (r < 0)
			return r;
		offset += record.size;
	}
	return 0;
}

/* Of a text of the order; NULL for an empty one. */
static int copy_text(const char *text, size_t size, char **ret)
{
	if (size == 0)
		return 0;
	*ret = strndup(text, size);
	return *ret ? 0 : -ENOMEM;
}

static int break_attempt(Run *run, const ReplayCause *cause)
{
	RecordEnd end;
	int r;

	r = replay_break(&run->replay, cause, clock_monotonic(), &end);
	return r < 0 ? r : run_record_end(run, &end);
}

/* Too late to be stopped: it is on its way back. */
static int stop(Run *run, ErrorCode cause, const char *message)
{
	int r;

	r = run_stop(run, cause, NULL, message);
	return r == -EALREADY || r == -EPERM ? 0 : r;
}

static int settle(Run *run, const OrderResume *resume)
{
	_cleanup_free_ char *program = NULL, *message = NULL;

	if (copy_text(resume->program, resume->program_size, &program) < 0 ||
	    copy_text(resume->message, resume->message_size, &message) < 0)
		return -ENOMEM;
	if (run->replay.begun)
		return break_attempt(run,
				     &(ReplayCause){ .code = resume->cause, .program = program, .message = message });
	return resume->stop == ERROR_NONE ? 0 : stop(run, resume->stop, message);
}

int perform_resume(Worker *worker, const OrderResume *resume)
{
	const RecordFile *file = &worker->recorder;
	_cleanup_run_ Run run = { 0 };
	const Plan *plan;
	RecordStart start;
	Record record;
	int r;

	r = record_read(file->base, atomic_load(&record_page(file)->tail), resume->offset, record_page(file)->number,
			RECORD_SEQUENCE_ANY, &record);
	if (r < 0 || record_decode_start(&record, &start) < 0)
		return -EBADMSG;
	r = run_init(&run, worker, &start, &plan);
	if (r >= 0)
		r = replay_init(&run.replay, plan, &start);
	if (r >= 0)
		r = feed_all(&run, resume->offset + record.size, record.sequence + 1);
	if (r < 0 || run.replay.finished)
		return r;
	/* the one before may have died between an operator's decision and its sync */
	r = run.replay.decided_usec != 0 ? run_sync(&run) : 0;
	if (r >= 0)
		r = settle(&run, resume);
	run.replay.now_usec = clock_monotonic();
	return r < 0 ? r : run_go_on(&run);
}
