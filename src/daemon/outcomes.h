/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that have ended, or parked, between their FINISH record and the moment when nothing of them is needed any more:
 * first until the recorder is known to be synced that far (durability `disk`), then they are answered, traced and
 * counted; then, where they were promised or parked, until the ledger has them. It owns these runs, in order of their
 * ends. What it holds is what a new recorder must take along. */
#pragma once

#include "daemon/promises.h"
#include "daemon/recorder.h"
#include "daemon/trace.h"

typedef struct Outcomes {
	Recorder *recorder;
	Promises *promises;
	Trace *trace;
	struct RunList ended;   /* RUN_ENDED: not known to be synced */
	struct RunList storing; /* RUN_STORING */
	struct RunList lent;    /* done with, but a new recorder is being made of their records */
	size_t n_ended, n_storing;
	bool distrusted; /* a sync failed: nothing of the recorder in use is believed; a new one will hold it all */
	bool complained; /* the log was told that the ledger does not take something */
	uint64_t counts[WALK_STATUS_MAX];
	uint64_t n_records, n_syncs;       /* of all runs that ended; the workers' */
	uint32_t last_records, last_syncs; /* of the last one */
	uint64_t retry_at_usec;            /* the ledger did not take something: tried again then; 0: nothing */
	void (*on_parked)(Run *run, void *context); /* the ledger has it, parked; the run is freed afterwards */
	void (*on_ended)(Run *run,
			 void *context); /* it was synced, is answered and counted: who waits for that (cancel) */
	void *context;
} Outcomes;

void outcomes_init(Outcomes *outcomes, Recorder *recorder, Promises *promises, Trace *trace);
/** \brief Frees what is left: the recorder, which stays then, has it. */
void outcomes_done(Outcomes *outcomes);
/** \brief A FINISH was read: takes \p run, whose records are run->offset up to \p end in the recorder's file. What is
 * needed of them is copied. Of durability `process` it is answered at once. */
void outcomes_add(Outcomes *outcomes, Run *run, const RecordFinish *finish, size_t end);
/** \brief One that a recovery found finished, or that the daemon parked itself: everything is filled in (`reply`,
 * `records` where parked, `status`, `error`, `ended_realtime_usec`; `offset` and `end` where the recorder in use holds
 * it, else `end` is 0), and it is durable: it is answered and stored. */
void outcomes_add_durable(Outcomes *outcomes, Run *run);
/** \brief Answers what is synced now, asks for the sync of what is not. Once per turn of the loop. */
void outcomes_step(Outcomes *outcomes, uint64_t now_usec);
/** \brief A sync failed: nothing that waited for it is answered (rule 29): those clients learn that the outcome is
 * unknown. The runs stay; once a new recorder holds them durably they count as ended, for who asks again, and for the
 * ledger. */
void outcomes_distrust(Outcomes *outcomes);
/** \brief What a new recorder must hold of them: appends at most one RecorderKept for each. \p kept is realloc()ed.
 * Packed ones stay lent until outcomes_moved(), or until this is called again. -ENOMEM. */
int outcomes_keep(Outcomes *outcomes, RecorderKept **kept, size_t *n);
/** \brief The new recorder is in use, whole and synced: \p kept is the whole list that outcomes_keep() appended to. */
void outcomes_moved(Outcomes *outcomes, const RecorderKept *kept);
/** \brief The new recorder in use holds none of them: they are in memory alone. Who waits for one that was not known to
 * be synced learns that its outcome is unknown; what the ledger is to have goes there. */
void outcomes_forsake(Outcomes *outcomes);
static inline bool outcomes_pending(const Outcomes *outcomes)
{
	return outcomes->n_ended > 0 || outcomes->n_storing > 0;
}
/** \brief The one of that id, or NULL. */
Run *outcomes_find(const Outcomes *outcomes, const Id *id);
