/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between recovery.c (the recorder), recovery_recorder.c (what stands in it), recovery_run.c (runs made of what was recorded) and recovery_ledger.c (what the
 * ledger holds). */
#pragma once

#include "daemon/recovery.h"
#include "tell/park.h"

/* One run of the old recorder that the new one must hold. */
typedef struct Remain {
	Run *run; /* owned until it is handed on */
	Buffer packed;
	size_t kept;   /* which of the kept ranges it is; where nothing is packed, none */
	bool finished; /* or parked: only the ledger still wants it */
	ErrorCode stop;
	char why[sizeof(((RecoverVerdict *)0)->message)];
} Remain;

/* The work of one recovery_open(). */
typedef struct Opening {
	Recovery *recovery;
	RecordFile file;
	RecordPlace place;
	Recovered found;
	Remain *remains;
	RecorderKept *kept;
	size_t n;
	Buffer unbegun;  /* packed */
	ErrorCode doubt; /* DAMAGED, STORE_MOVED: what is queued in the ledger may have begun */
	Id machine, boot;
} Opening;

/* recovery_recorder.c */
/** \brief Takes one run of the old recorder into account: it may become one of `remains`. */
int remains_take(Opening *opening, const RecoverRun *found);
/** \brief For ledger_take(): parks a submission that may have begun. */
int remains_doubt(void *context, const LedgerRun *given);
/** \brief Decisions that the ledger calls still to be done may have been acted on, where the store is doubtful, or, of
 * runs of durability `process`, after a power loss: those runs park anew. */
int remains_doubt_decisions(Opening *opening);
int remains_take_unbegun(Opening *opening);

/* recovery_run.c */
/** \brief A run as its START tells it. */
int recovery_make_run(Recovery *recovery, const RecordStart *start, Run **ret);
/** \brief Whether what was wanted may be had a little later: nothing is to be concluded from it. */
bool recovery_is_short(int error);
/** \brief As the ledger tells it, with a START record of its own in \p records. */
int recovery_make_from_ledger(Recovery *recovery, const LedgerRun *given, Buffer *records, Run **ret);
/** \brief Fills \p run in as parked; \p records as in park_make(). */
int recovery_make_parked(Run *run, const void *records, size_t size, ErrorCode code, const char *message);
void recovery_ghosts_free(Recovery *recovery);
