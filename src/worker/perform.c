/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/perform.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "worker/attempt.h"

#define WAIT_STEP_USEC (2 * USEC_PER_MSEC)

int run_init(Run *run, Worker *worker, const RecordStart *start)
{
	Reader arguments = reader_make(start->arguments, start->arguments_size);
	int r;

	*run = (Run){ .worker = worker, .id = start->run, .now_usec = start->begun_usec };
	r = module_plan(worker->module, start->program, start->program_size, &run->plan);
	if (r < 0)
		return r;
	r = walk_start(run->plan, &arguments, start->begun_usec, &run->walk);
	if (r < 0)
		return r;
	run->reserve = record_reserve(run->plan, &worker->caps);
	run->handle.calls = &attempt_calls;
	run->handle.peer = (ryuso_peer_info){
		.uid = start->uid,
		.gid = start->gid,
		.pid = (pid_t)start->pid,
	};
	id_format(&run->id, run->handle.id);
	return 0;
}

void run_done(Run *run)
{
	walk_free(run->walk);
	notes_done(&run->notes);
}

static int record_unbegun(Worker *worker, const Id *id)
{
	buffer_clear(&worker->content);
	record_encode_unbegun(id, &worker->content);
	return worker_record(worker, RECORD_UNBEGUN);
}

/* The room for the run's way to its end is there before it begins. */
static int record_start(Worker *worker, const Run *run, const RecordStart *start)
{
	size_t wanted;
	int r;

	buffer_clear(&worker->content);
	record_encode_start(start, &worker->content);
	wanted = record_size(worker->content.size) + run->reserve;
	if (record_room(&worker->recorder) < wanted) {
		r = worker_make_room(worker, wanted);
		if (r < 0)
			return r;
	}
	return worker_record(worker, RECORD_START);
}

int perform_run(Worker *worker, const RecordStart *order)
{
	RecordStart start = *order;
	_cleanup_run_ Run run = { 0 };
	int r;

	/* The daemon takes back what has not begun. */
	if (atomic_load(&record_page(&worker->recorder)->hold) != 0)
		return PERFORM_RETIRE;
	start.begun_usec = clock_monotonic();
	start.begun_realtime_usec = clock_realtime();
	if (start.start_by_usec != 0 && start.start_by_usec <= start.begun_usec)
		return record_unbegun(worker, &start.run);
	r = run_init(&run, worker, &start);
	if (r < 0)
		return r;
	r = record_start(worker, &run, &start);
	if (r < 0)
		return r;
	return run_go_on(&run);
}

static ErrorCode run_wish(const Run *run)
{
	const RecordPage *page = record_page(&run->worker->recorder);
	uint32_t wish = atomic_load_explicit(&page->wish, memory_order_acquire);

	if (wish == ERROR_NONE || memcmp(page->wish_run, run->id.bytes, sizeof(run->id.bytes)) != 0)
		return ERROR_NONE;
	return (ErrorCode)wish;
}

static int run_stop(Run *run, ErrorCode cause, const SpecProgram *program, const char *message)
{
	RecordStop stop = {
		.cause = cause,
		.program = program ? program->name : NULL,
		.program_size = program ? strlen(program->name) : 0,
		.message = message,
		.message_size = message ? strlen(message) : 0,
	};
	int r;

	r = walk_stop(run->walk, cause, stop.program, message);
	/* Too late: what was wished for has no meaning any more (rule 18). */
	if (r == -EALREADY || r == -EPERM)
		return 0;
	if (r < 0)
		return r;
	buffer_clear(&run->worker->content);
	record_encode_stop(&stop, &run->worker->content);
	r = worker_record(run->worker, RECORD_STOP);
	return r < 0 ? r : 1;
}

/* What stops a run does so here, between its calls. 1: it was stopped, and the walk has something else to do. */
static int run_boundary(Run *run, const WalkAction *action)
{
	ErrorCode wish = run_wish(run);
	bool late = action->deadline_program && action->deadline_usec <= run->now_usec;

	if (late || (wish == ERROR_PROGRAM_TIMEOUT && action->deadline_program))
		return run_stop(run, ERROR_PROGRAM_TIMEOUT, action->deadline_program, NULL);
	if (wish == ERROR_CANCELLED || wish == ERROR_INTERRUPTED)
		return run_stop(run, wish, NULL, NULL);
	return 0;
}

/* Room for the attempt's end and all that may then be needed. On the way back it is there already (record_reserve()).
 */
static int run_room(Run *run, const WalkAction *action)
{
	_cleanup_buffer_ Buffer text = { 0 };
	size_t found = record_room(&run->worker->recorder);
	int r;

	if (action->rectifying || found >= run->reserve)
		return 0;
	r = worker_make_room(run->worker, run->reserve);
	if (r != -ENOSPC)
		return r;
	buffer_format(&text, "the recorder has no room for the rest of the run: expected %zu bytes, got %zu",
		      run->reserve, record_room(&run->worker->recorder));
	buffer_u8(&text, 0);
	r = buffer_error(&text);
	return r < 0 ? r : run_stop(run, ERROR_INTERRUPTED, NULL, (const char *)text.data);
}

/* Full jitter. Where no random bits are to be had, the whole wait is as good. */
static uint64_t jitter(uint64_t max_usec)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return max_usec;
	return bits % (max_usec + 1);
}

static void run_wait(Run *run, const WalkAction *action)
{
	RecordPage *page = record_page(&run->worker->recorder);
	uint64_t until = run->now_usec + jitter(action->wait_usec);

	if (action->deadline_usec != 0)
		until = MIN(until, action->deadline_usec);
	atomic_store(&page->state, RECORD_WAITING);
	while (run->now_usec < until && (action->rectifying || run_wish(run) == ERROR_NONE)) {
		uint64_t usec = MIN(until - run->now_usec, WAIT_STEP_USEC);

		nanosleep(&(struct timespec){ .tv_nsec = (long)usec * 1000 }, NULL);
		run->now_usec = clock_monotonic();
	}
	atomic_store(&page->state, RECORD_RUNNING);
}

static int run_act(Run *run, const WalkAction *action)
{
	int r;

	r = run_boundary(run, action);
	if (r != 0)
		return r < 0 ? r : 0;
	if (action->kind == WALK_WAIT) {
		run_wait(run, action);
		return 0;
	}
	r = run_room(run, action);
	if (r != 0)
		return r < 0 ? r : 0;
	return attempt_make(run, action);
}

int run_go_on(Run *run)
{
	WalkAction action;
	int r;

	for (;;) {
		r = walk_next(run->walk, run->now_usec, &action);
		if (r < 0)
			return r;
		if (action.kind == WALK_END)
			return run_finish(run);
		r = run_act(run, &action);
		if (r != 0)
			return r;
	}
}
