/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that are recorded as a worker and a daemon record them, in a file in memory: a scene's plan, scripts of what
 * happens, and after each record and each sync a moment that is kept. Owned by the test that opens it. What goes wrong in
 * setting it up fails the test.
 *
 * Script, one word per thing:
 *     ok fail die         the next call is made, and ends so; with "ok:k=1" it writes
 *     note                the next call makes a note before it ends
 *     begin               the next call is made, and does not end: the script ends here
 *     !cut !cancel        a stop at the boundary
 *     taken park          the run is taken up after an interruption; is parked by the daemon (ModuleChanged)
 *     retry skip confirm  an operator's verb on the parked run, at the step it stands at
 *     unpark              all records of the run, which is parked, are written anew
 *     finish              the run is at its end, or parked: which is said in so many words where something follows
 *     sync                all that was written is synced
 *     .                   the script ends here; else the rest goes well, up to FINISH */
#pragma once

#include "run/replay.h"
#include "tests/scene.h"

#define CHRONICLE_NUMBER 0xC0FFEE01U
#define CHRONICLE_SIZE (RECORD_PAGE_SIZE + (16U << 10))
#define CHRONICLE_MOMENTS_MAX 512
#define CHRONICLE_RECORDS_MAX 256

typedef struct ChronicleRecord {
	RecordKind kind;
	size_t offset, size;
	unsigned run; /* of the first byte of its id */
} ChronicleRecord;

/** \brief What had been written, and what of it was known to be synced. */
typedef struct ChronicleMoment {
	size_t tail, synced;
	size_t n_records;
} ChronicleMoment;

typedef struct Chronicle {
	Scene *scene;
	Walk *walk;      /* of the run that is being recorded */
	RecordFile file; /* owned */
	RecordPlace place;
	unsigned run;
	size_t start;   /* where the run's records begin */
	uint32_t flags; /* of the next START */
	bool begun, finished;
	WalkAction action;
	ChronicleRecord records[CHRONICLE_RECORDS_MAX];
	size_t n_records;
	ChronicleMoment moments[CHRONICLE_MOMENTS_MAX];
	size_t n_moments;
} Chronicle;

/** \brief \p spec: as a scene's. */
Chronicle *chronicle_open(const char *spec);
Chronicle *chronicle_close(Chronicle *chronicle);
DEFINE_CLEANUP(Chronicle *, chronicle_close)
#define _cleanup_chronicle_ _cleanup_(chronicle_closep)

/** \brief A further run: its number is the first byte of its id. */
void chronicle_run(Chronicle *chronicle, const char *script);
/** \brief Its records, as record_pack() packs them: the \p n first ones. */
void chronicle_pack(const Chronicle *chronicle, unsigned run, size_t n, Buffer *ret);
/** \brief How many records of \p run lie below \p offset, from its last START on. */
size_t chronicle_count(const Chronicle *chronicle, unsigned run, size_t offset);
Id chronicle_id(unsigned run);
size_t chronicle_tail(const Chronicle *chronicle);
