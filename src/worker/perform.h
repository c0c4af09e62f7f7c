/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run, from its order to its FINISH record: whatever happens is recorded before it is acted upon. A run that an
 * earlier worker began, or that was parked, is taken up from its records, through the same walk. */
#pragma once

#include <stddef.h>
#include <string.h>

#include <ryuso/host.h>

#include "run/order.h"
#include "run/replay.h"
#include "worker/worker.h"

/** \brief What perform_… and attempt_make() return when this worker must leave: a fresh one takes up what is left. */
#define PERFORM_LEAVE 1
/** \brief What they return when it is to leave in good order: the daemon holds, and takes back what has not begun. */
#define PERFORM_RETIRE 2
/** \brief What the parts return when the walk has something else to do now. */
#define PERFORM_AGAIN 3

/** \brief Runs of durability `process` after whose end the doorbell is rung within a batch. */
#define PERFORM_RING_RUNS 32U

typedef struct Run {
	Worker *worker;
	Replay replay; /* plan, walk, notes, the time as of the last end of a call or wait */
	Id id;
	bool durable;     /* durability `disk` */
	uint32_t n_syncs; /* by this worker */
	size_t reserve;   /* record_reserve() */
	ryuso_run handle; /* what hooks are given */
} Run;

/** \brief As good as { 0 }: the room for a hook's message, which is most of it, is left as it is. */
static inline void run_zero(Run *run)
{
	memset(run, 0, offsetof(Run, handle.message));
	run->handle.message[0] = '\0';
}

/** \brief 0 where it is finished, or was not begun; PERFORM_LEAVE, PERFORM_RETIRE; or a negative errno: then the worker
 * leaves as well. */
int perform_run(Worker *worker, const RecordStart *start);
int perform_resume(Worker *worker, const OrderResume *resume);
int perform_unpark(Worker *worker, const OrderUnpark *unpark);

/* The parts of these. */

/** \brief All but the replay, of a zeroed \p run. \p start is what was ordered or recorded; nothing is recorded. */
int run_init(Run *run, Worker *worker, const RecordStart *start, const Plan **ret_plan);
void run_done(Run *run);
#define _cleanup_run_ _cleanup_(run_done)
/** \brief Writes worker->content as a record of the run. */
int run_record(Run *run, RecordKind kind);
/** \brief Writes an END, its texts within their caps, without them where the way back has no room for them. */
int run_record_end(Run *run, RecordEnd *end);
/** \brief Makes everything that was recorded durable, where the run's durability is `disk`. Where no sync succeeds a new
 * recorder is asked for, which is: -ENOSPC where that one has no room for the rest of the run. */
int run_sync(Run *run);
/** \brief Goes on from where the walk stands, to the end. */
int run_go_on(Run *run);
/** \brief Writes the FINISH record. */
int run_finish(Run *run);
/** \brief The daemon takes back what has not begun. */
bool perform_is_held(const Worker *worker);
int perform_unbegun(Worker *worker, const Id *run, ErrorCode cause);

/* boundary.c: between calls. 0; PERFORM_AGAIN, PERFORM_RETIRE; a negative errno. */

/** \brief What stops a run, or has it left, does so here. */
int run_boundary(Run *run, const WalkAction *action);
/** \brief Room for the attempt's end and all that may then be needed. */
int run_room(Run *run, const WalkAction *action);
int run_wait(Run *run, const WalkAction *action);
/** \brief As walk_stop(), and recorded. */
int run_stop(Run *run, ErrorCode cause, const char *program, const char *message);
/** \brief What the daemon wishes of \p run. */
ErrorCode run_wish(const Worker *worker, const Id *run);
/** \brief The run ends: a wish that was not heeded comes too late. */
int run_decline_rest(Run *run);
