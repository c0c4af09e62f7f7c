/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run as its records tell it: fed one by one into the walk that performed it, they bring another process to where it
 * stood. What a fresh worker does with the run of a dead one, a daemon at its start with that of a dead daemon, and an
 * operator's `show` with a parked one. Pure. */
#pragma once

#include "run/notes.h"
#include "run/record.h"

/** \brief Of a step's own function, on the way forward. */
typedef struct ReplayStep {
	uint32_t attempts;
	uint64_t usec; /* that those took which have ended, in sum */
} ReplayStep;

/** \brief Embedded in who replays; replay_done() frees what it owns. */
typedef struct Replay {
	const Plan *plan; /* borrowed; outlives it */
	Walk *walk;       /* owned */
	Id run;
	Notes notes;
	WalkAction action;      /* the call in hand, while `begun` */
	bool begun;             /* a BEGIN without its END */
	bool finished;          /* FINISH was fed; the walk has ended, or is parked */
	uint64_t now_usec;      /* monotonic: of the last record that has a time */
	size_t rectified;       /* bytes that rectifiers have written so far */
	uint32_t interruptions; /* of the last TAKEN */
	uint32_t n_records;     /* fed, START included */
	ReplayStep *steps;      /* owned; [step - 1] */
	bool parked;            /* PARK was fed, and no decision since */
	bool set_aside; /* that PARK came where the walk had ended, or parked by itself: which a retry takes up */
	uint64_t decided_usec; /* of the last decision; 0: none */
	ErrorCode error;       /* of FINISH */
	char *last_reason;     /* owned: the last decision's reason, or NULL */
} Replay;

/** \brief From START. -EBADMSG where it does not fit \p plan. */
int replay_init(Replay *replay, const Plan *plan, const RecordStart *start);
void replay_done(Replay *replay);
#define _cleanup_replay_ _cleanup_(replay_done)
/** \brief The next record. -EBADMSG where it cannot follow what was fed before: then nothing more of the run can be
 * believed. PARK parks the walk, a decision lets it go on (FINISH before it notwithstanding), TAKEN counts. */
int replay_feed(Replay *replay, const Record *record);
/** \brief The attempt in hand has no end of its own: it ended with its process. \p ret is its END record, to be written
 * first; the walk has been told. Texts are borrowed from \p cause and must outlive \p ret. */
typedef struct ReplayCause {
	ErrorCode code;                /* NONE: HOOK_UNKNOWN */
	const char *program, *message; /* or NULL */
} ReplayCause;
int replay_break(Replay *replay, const ReplayCause *cause, uint64_t now_usec, RecordEnd *ret);
/** \brief Feeds all of what record_pack() packed, START first (to replay_init()). \p replay may then be anything, and is
 * to be done with whatever is returned. */
int replay_packed(Replay *replay, const Plan *plan, const void *records, size_t size);

/* Records outside a file, as the ledger keeps those of a parked run: u32 kind, u32 size, content, padding to eight. */
void record_pack(RecordKind kind, const void *content, size_t size, Buffer *buffer);
/** \brief The record at \p *offset, which moves on. 1; 0 at the end; -EBADMSG. */
int record_unpack(const void *records, size_t size, size_t *offset, Record *ret);
