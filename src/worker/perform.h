/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run, from its order to its FINISH record: whatever happens is recorded before it is acted upon. A run that an
 * earlier worker began is taken up from its records, through the same walk. */
#pragma once

#include <ryuso/host.h>

#include "run/order.h"
#include "worker/notes.h"
#include "worker/worker.h"

/** \brief What perform_… and attempt_make() return when this worker must leave: a fresh one takes up what is left. */
#define PERFORM_LEAVE 1
/** \brief What they return when it is to leave in good order: the daemon holds, and takes back what has not begun. */
#define PERFORM_RETIRE 2

typedef struct Run {
	Worker *worker;
	const Plan *plan;
	Walk *walk;
	Id id;
	Notes notes;
	uint64_t now_usec; /* monotonic; as of the last end of a call or wait */
	size_t reserve;    /* record_reserve() */
	size_t rectified;  /* bytes that rectifiers have written so far: recorded, whatever they replaced */
	ryuso_run handle;  /* what hooks are given */
} Run;

/** \brief 0 where it is finished; PERFORM_LEAVE, PERFORM_RETIRE; or a negative errno: then the worker leaves as well.
 */
int perform_run(Worker *worker, const RecordStart *start);
int perform_resume(Worker *worker, const OrderResume *resume);

/* The parts of these. */

/** \brief \p start is what was ordered or recorded; nothing is recorded by this. */
int run_init(Run *run, Worker *worker, const RecordStart *start);
void run_done(Run *run);
#define _cleanup_run_ _cleanup_(run_done)
/** \brief Goes on from where the walk stands, to the end. */
int run_go_on(Run *run);
/** \brief Writes the FINISH record. */
int run_finish(Run *run);
/** \brief Records that an attempt has ended, and tells the walk. */
int run_end(Run *run, const WalkAction *action, const Outcome *outcome);
