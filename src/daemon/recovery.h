/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start, in two parts. First the store is opened, and what an earlier daemon left in the recorder is looked at:
 * outcomes that the ledger does not have go there, a run that has not ended is taken up or parked, and a new recorder
 * holds what is still needed, before anything acts. Then, when the module in use is known, what the ledger holds goes
 * on: decided runs and submissions. What is to be done with a run is decided in run/recover.h. */
#pragma once

#include "daemon/intake.h"
#include "daemon/parking.h"
#include "daemon/store.h"
#include "run/recover.h"

typedef struct GhostProgram GhostProgram;

typedef struct Recovery {
	const Config *config;
	const Store *store;
	Crew *crew;
	Queue *queue;
	Promises *promises;
	Outcomes *outcomes;
	Parking *parking;
	Intake *intake;
	Trace *trace;
	GhostProgram *ghosts; /* owned: programs of modules of which nothing is known any more */
	Id *unbegun;          /* owned: submissions that are known never to have begun, and to be refused */
	size_t n_unbegun;
	bool restored; /* the second part is done */
	bool settled;
} Recovery;

void recovery_done(Recovery *recovery);
/** \brief 0 or negative errno, with a sentence in \p ret_problem (to be freed) where there is one; it can be called
 * again. */
int recovery_open(Recovery *recovery, char **ret_problem);
/** \brief The second part; does nothing before the module is known, or when it is done. */
void recovery_restore(Recovery *recovery);
/** \brief When what had to be parked is stored, the store's place is taken for its own. Once per turn of the loop. */
void recovery_settle(Recovery *recovery);
/** \brief Parks a run that the crew has let go, by what the recorder holds of it from run->offset up to \p end (0: of a
 * run that may not have begun: by its order). Takes it. */
void recovery_park(Recovery *recovery, Run *run, size_t end, ErrorCode code, const char *message);
/** \brief Packs the records of a file from \p offset on, \p size bytes; of what does not hold, what comes before it. */
void recovery_pack(const RecordFile *file, uint32_t number, size_t offset, size_t size, Buffer *ret);
