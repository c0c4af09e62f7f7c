/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/crew_private.h"

static Run *crew_remove(Crew *crew, Run *run)
{
	TAILQ_REMOVE(&crew->ordered, run, entry);
	crew->n_ordered--;
	if (crew->current == run)
		crew->current = NULL;
	return run;
}

/* Runs are begun in the order in which they were ordered: what begins, or will never begin, is the first. */
static Run *crew_expected(Crew *crew, const Id *id)
{
	Run *run = TAILQ_FIRST(&crew->ordered);

	return run && id_equal(&run->id, id) ? run : NULL;
}

static int on_start(Crew *crew, const Record *record, size_t offset)
{
	RecordStart start;
	Run *run;

	if (crew->current || record_decode_start(record, &start) < 0)
		return -EBADMSG;
	run = crew_expected(crew, &start.run);
	if (!run)
		return -EBADMSG;
	if (crew->active)
		hand_end_line(crew->active);
	run->begun_usec = start.begun_usec;
	run->offset = offset;
	crew->current = run;
	trace_begun(crew->trace, run);
	return 0;
}

static int on_begin(Crew *crew, const Record *record, size_t offset)
{
	RecordBegin begin;

	(void)offset;
	if (!crew->current || record_decode_begin(record, &begin) < 0)
		return -EBADMSG;
	crew->current->call = (RunCall){
		.op = begin.op,
		.step = begin.step,
		.attempt = begin.attempt,
		.rectifying = begin.rectifying,
		.in_hand = true,
		.since_usec = begin.usec,
		.worker = crew->active ? crew->active->pid : 0,
	};
	return 0;
}

static int on_end(Crew *crew, const Record *record, size_t offset)
{
	RunCall *call;
	RecordEnd end;

	(void)offset;
	if (!crew->current || record_decode_end(record, &end) < 0 || end.outcome >= OUTCOME_KIND_MAX)
		return -EBADMSG;
	call = &crew->current->call;
	if (crew->active)
		hand_end_line(crew->active);
	call->in_hand = false;
	trace_call(crew->trace, crew->current, &end);
	/* an attempt that died with its worker says nothing against the one that took the run up */
	if (end.outcome == OUTCOME_UNKNOWN && crew->active && call->worker == crew->active->pid)
		crew_tire(crew);
	return 0;
}

static int on_finish(Crew *crew, const Record *record, size_t offset)
{
	RecordFinish finish;
	Run *run = crew->current;

	(void)offset;
	if (!run || record_decode_finish(record, &finish) < 0 || finish.status >= WALK_STATUS_MAX ||
	    !id_equal(&finish.run, &run->id))
		return -EBADMSG;
	trace_ended(crew->trace, run, &finish);
	run_answer(run, finish.reply, finish.reply_size);
	crew->n_ended[finish.status]++;
	run_free(crew_remove(crew, run));
	return 0;
}

static int on_unbegun(Crew *crew, const Record *record, size_t offset)
{
	_cleanup_error_ Error error = { 0 };
	Run *run;
	Id id;

	(void)offset;
	if (crew->current || record_decode_unbegun(record, &id) < 0)
		return -EBADMSG;
	run = crew_expected(crew, &id);
	if (!run)
		return -EBADMSG;
	error_set(&error, ERROR_NOT_STARTED, NULL, "the run had not begun within `start_within`; nothing ran");
	run_refuse(crew_remove(crew, run), &error);
	return 0;
}

static int on_inner(Crew *crew, const Record *record, size_t offset)
{
	(void)record;
	(void)offset;
	return crew->current ? 0 : -EBADMSG;
}

static int (*const handlers[RECORD_KIND_MAX])(Crew *crew, const Record *record, size_t offset) = {
	[RECORD_START] = on_start, [RECORD_BEGIN] = on_begin,   [RECORD_NOTE] = on_inner,      [RECORD_END] = on_end,
	[RECORD_STOP] = on_inner,  [RECORD_FINISH] = on_finish, [RECORD_UNBEGUN] = on_unbegun,
};

void crew_read_records(Crew *crew)
{
	size_t offset;
	Record record;
	int r;

	while (!crew->damaged && (r = recorder_read(&crew->recorder, &record, &offset)) != 0) {
		if (r > 0)
			r = handlers[record.kind] ? handlers[record.kind](crew, &record, offset) : -EBADMSG;
		if (r < 0) {
			crew_damage(crew, "its records are not what a worker writes");
			return;
		}
		crew->barren = false;
		crew->failures = 0;
	}
}

/* The run in hand moves into a new file; who is alive hears of it. */
static void crew_make_room(Crew *crew)
{
	RecordPage *page = recorder_page(&crew->recorder);
	size_t begin = crew->current ? crew->current->offset : 0;
	size_t offset = 0;
	int r;

	r = recorder_renew(&crew->recorder, begin, atomic_load(&page->wanted), &offset);
	if (r < 0) {
		if (!crew->store_problem) {
			crew->store_problem = crew_sentence("cannot make a new recorder in %s: %s",
							    crew->recorder.directory, strerror(-r));
			log_line(LOG_CRIT, "%s; nothing begins until it can be made, trying again every second",
				 crew->store_problem ? crew->store_problem : "out of memory");
		}
		crew->renew_at_usec = clock_monotonic() + USEC_PER_SEC;
		return;
	}
	free(take_ptr(crew->store_problem));
	crew->renew_at_usec = 0;
	if (crew->current)
		crew->current->offset = offset;
	atomic_store(&recorder_page(&crew->recorder)->hold, crew->stopping || crew->tired);
	r = hand_order_recorder(crew->active, crew->recorder.fd);
	if (r < 0)
		hand_kill(crew->active);
	else
		hand_flush(crew->active);
	if (!crew->spare)
		return;
	if (crew->spare->state != HAND_READY || hand_order_recorder(crew->spare, crew->recorder.fd) < 0)
		hand_kill(crew->spare); /* it holds the old one, and would only find out when it is needed */
	else
		hand_flush(crew->spare);
}

void crew_read(Crew *crew)
{
	RecordPage *page;

	crew_read_records(crew);
	if (crew->damaged || !crew->active)
		return;
	page = recorder_page(&crew->recorder);
	if (atomic_load_explicit(&page->state, memory_order_acquire) != RECORD_FULL)
		return;
	crew_read_records(crew); /* up to where the worker stands */
	if (!crew->damaged && clock_monotonic() >= crew->renew_at_usec)
		crew_make_room(crew);
}
