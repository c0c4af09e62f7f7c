/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/perform.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "worker/attempt.h"
#include "worker/sync.h"

int run_init(Run *run, Worker *worker, const RecordStart *start, const Plan **ret_plan)
{
	int r;

	r = module_plan(worker->module, start->program, start->program_size, ret_plan);
	if (r < 0)
		return r;
	run->worker = worker;
	run->id = start->run;
	run->durable = (start->flags & RECORD_FLAG_PROCESS) == 0;
	run->reserve = record_reserve(*ret_plan, &worker->caps);
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
	replay_done(&run->replay);
}

bool perform_is_held(const Worker *worker)
{
	return atomic_load(&record_page(&worker->recorder)->hold) != 0;
}

int perform_unbegun(Worker *worker, const Id *run, ErrorCode cause)
{
	RecordUnbegun unbegun = { .run = *run, .cause = cause };

	buffer_clear(&worker->content);
	record_encode_unbegun(&unbegun, &worker->content);
	return worker_record(worker, RECORD_UNBEGUN);
}

int run_record(Run *run, RecordKind kind)
{
	run->replay.n_records++;
	return worker_record(run->worker, kind);
}

int run_record_end(Run *run, RecordEnd *end)
{
	/* On the way back texts are what is gone without when the room gets short. */
	bool texts = !end->rectifying || record_room(&run->worker->recorder) >= run->reserve;

	end->reason_size = texts ? MIN(end->reason_size, (size_t)RECORD_REASON_MAX) : 0;
	end->message_size = texts ? MIN(end->message_size, (size_t)RECORD_MESSAGE_MAX) : 0;
	buffer_clear(&run->worker->content);
	record_encode_end(end, &run->worker->content);
	return run_record(run, RECORD_END);
}

int run_sync(Run *run)
{
	return run->durable ? worker_sync(run->worker, run->reserve, &run->n_syncs) : 0;
}

/* The room for the run's way to its end is there before it begins. */
static int record_start(Worker *worker, const Run *run, const RecordStart *start)
{
	const RecordPage *page = record_page(&worker->recorder);
	size_t wanted;
	int r;

	buffer_clear(&worker->content);
	record_encode_start(start, &worker->content);
	wanted = record_size(worker->content.size) + run->reserve;
	if (record_room(&worker->recorder) < wanted || atomic_load_explicit(&page->renew, memory_order_relaxed) != 0) {
		r = worker_make_room(worker, wanted);
		if (r < 0)
			return r;
	}
	return worker_record(worker, RECORD_START);
}

/* The wish is gone before the record tells of it: then the daemon may have another. */
static int cancelled(Worker *worker, const Id *run)
{
	atomic_store(&record_page(&worker->recorder)->wish, ERROR_NONE);
	return perform_unbegun(worker, run, ERROR_CANCELLED);
}

int perform_run(Worker *worker, const RecordStart *order)
{
	RecordStart start = *order;
	_cleanup_run_ Run run;
	const Plan *plan;
	int r;

	run_zero(&run);
	if (perform_is_held(worker))
		return PERFORM_RETIRE;
	if (run_wish(worker, &start.run) == ERROR_CANCELLED)
		return cancelled(worker, &start.run);
	start.begun_usec = clock_monotonic();
	start.begun_realtime_usec = clock_realtime();
	if (start.start_by_usec != 0 && start.start_by_usec <= start.begun_usec)
		return perform_unbegun(worker, &start.run, ERROR_NOT_STARTED);
	r = run_init(&run, worker, &start, &plan);
	if (r >= 0)
		r = replay_init(&run.replay, plan, &start);
	if (r >= 0)
		r = record_start(worker, &run, &start);
	return r < 0 ? r : run_go_on(&run);
}

static int run_act(Run *run, const WalkAction *action)
{
	int r;

	r = run_boundary(run, action);
	if (r != 0)
		return r;
	if (action->kind == WALK_WAIT)
		return run_wait(run, action);
	r = run_room(run, action);
	return r != 0 ? r : attempt_make(run, action);
}

int run_go_on(Run *run)
{
	WalkAction action;
	int r;

	for (;;) {
		r = walk_next(run->replay.walk, run->replay.now_usec, &action);
		if (r < 0)
			return r;
		if (action.kind == WALK_END)
			return run_finish(run);
		r = run_act(run, &action);
		if (r != 0 && r != PERFORM_AGAIN)
			return r;
	}
}
