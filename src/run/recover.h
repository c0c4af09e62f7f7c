/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery as a pure function: what stands in a recorder that another daemon left → which runs it knows, how far each
 * came, and what is to be done with one that has not ended (rules 27, 30, 31, 37, 39). It looks at a mapped or read
 * image and changes nothing. */
#pragma once

#include "run/replay.h"

#define RECOVER_INTERRUPTIONS_MAX 3U

typedef struct RecoverRun {
	RecordStart start;   /* borrowed from the image. Where it was lost to damage, all but `run` is empty */
	size_t offset, size; /* all its records, from START on: they stand together. 0: START was lost */
	bool finished;
	RecordFinish finish; /* borrowed; where finished */
	bool broken;     /* records of it are missing or do not hold: damage, not a torn end. Of a finished run: it was
				parked, and that it was taken up again later may be what is missing */
	bool parked;     /* not finished, and PARK is the last that was decided about it */
	RecordPark park; /* borrowed; where parked */
	uint32_t interruptions; /* of its last TAKEN */
	uint64_t decided_usec;  /* of its last decision; 0: none */
} RecoverRun;

typedef struct Recovered {
	RecoverRun *runs; /* owned; in the order in which they began; at most the last of the valid ones is unfinished,
			     but behind damage others may stand */
	size_t n;
	RecordUnbegun *unbegun; /* owned */
	size_t n_unbegun;
	uint32_t number; /* of the file */
	size_t end;      /* behind the last record that holds, read from the beginning */
	bool same_boot;  /* nothing that was written can be missing */
	bool moved;      /* the file is not where it was made (rule 37) */
	bool damaged;    /* what holds no record lies below what was synced, or the first page does not hold: then more
			    runs may have begun, and ended, than those that are listed */
	bool empty;      /* no record was ever in it */
} Recovered;

/** \brief \p file: the whole image, whatever its size; \p now: where it was found. -ENOMEM is the only error. Where the
 * first page does not hold, what records it has are found by their own sums, and `damaged` is set. */
int recover_read(const RecordFile *file, const RecordPlace *now, Recovered *ret);
void recovered_done(Recovered *recovered);
#define _cleanup_recovered_ _cleanup_(recovered_done)

typedef enum RecoverAct {
	RECOVER_CARRY_ON, /* as if nothing had happened; an attempt in hand ends unknown with INTERRUPTED */
	RECOVER_RECTIFY,  /* that, and then, where it goes forward still, it is stopped with INTERRUPTED */
	RECOVER_PARK,     /* with `code` */
} RecoverAct;

typedef struct RecoverVerdict {
	RecoverAct act;
	ErrorCode code;
	char message[256];      /* for people: why */
	uint32_t interruptions; /* this one included: for TAKEN */
	bool barred; /* for TAKEN, also where it parks (TAKEN stands before PARK then): it may not go on forwards,
			whoever takes it up, whenever that is */
} RecoverVerdict;

/** \brief What becomes of an unfinished run. \p replay: fed with all of its records, and asked nothing since (NULL where
 * its plan is not to be had: then it parks as MODULE_CHANGED, unless something worse holds; where they did not fit
 * together, `broken` is to be set). A run of durability `process` from another boot parks as DAMAGED: what it did last
 * may be missing. */
void recover_decide(const Recovered *recovered, const RecoverRun *run, const Replay *replay, RecoverVerdict *ret);
