/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder's codec: the file's first page, the frame of a record, and the content of each kind. Pure: it looks at
 * and writes bytes that others have mapped, read or sent. One writer at a time (the worker; a new file is filled by the
 * daemon while no worker runs in it); the daemon reads up to the tail that the writer has published. Numbers are
 * little-endian; records begin at multiples of eight. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "base/ids.h"
#include "run/walk.h"

/* The header of a record, 32 bytes:
 *
 *    0  u32  length of the content; 0 only where there is no record
 *    4  u32  CRC-32C, begun with the length, of everything behind it: the rest of the header, content, padding (zeros
 *            up to a multiple of eight)
 *    8  u32  number of the file
 *   12  u32  kind
 *   16  u64  sequence: one more than the record before
 *   24  u64  offset up to which the file was known to be synced when this was written */

#define RECORD_PAGE_SIZE 4096U
#define RECORD_MAGIC "RYUSOREC"
#define RECORD_VERSION 2U
#define RECORD_HEADER_SIZE 32U
#define RECORD_CONTENT_MAX (256U << 20)
#define RECORD_SEQUENCE_ANY UINT64_MAX /* to record_read(): whatever stands there */
#define RECORD_REASON_MAX 64U          /* bytes of an author's reason */
#define RECORD_MESSAGE_MAX 1024U       /* and of a message */

typedef enum RecordState {
	RECORD_IDLE,    /* the worker waits for an order */
	RECORD_RUNNING, /* a call is in hand (turn is odd), or is about to be */
	RECORD_WAITING, /* a backoff */
	RECORD_FULL,    /* no room for what comes next: a new recorder is wanted, with `wanted` bytes of room */
	RECORD_LEAVING, /* the worker has asked to be replaced, and ends: a hook began a thread */
} RecordState;

/** \brief The first page. Its first part never changes once the file is made, and holds after any tear of the rest. Of
 * the second part, what two processes write and read at once is atomic; `turn` is even between calls and odd while one
 * is in hand, and the fields below it are stable while it does not change. */
typedef struct RecordPage {
	char magic[8];
	uint32_t version;
	uint32_t number;           /* random, of this file; stands in each record */
	uint64_t size;             /* of the file */
	uint8_t machine[16];       /* where the file was made: machine-id(5), … */
	uint8_t boot[16];          /* … the boot, … */
	uint64_t inode, born_usec; /* … and its inode and time of birth (statx; 0 where the file system has none) */
	uint32_t check;            /* CRC-32C of everything before it */
	uint32_t spare;
	/* from here on it changes; no recovery from another boot believes it */
	_Atomic uint64_t tail;     /* offset behind the last whole record */
	_Atomic uint64_t last;     /* offset of that record (or, while one is written, of that one); 0: none yet */
	_Atomic uint64_t sequence; /* of the next record */
	_Atomic uint64_t synced;   /* offset up to which a sync is known to have succeeded */
	_Atomic uint32_t state;    /* RecordState */
	_Atomic uint32_t turn;
	_Atomic uint64_t wanted; /* bytes of room, while state is FULL */
	_Atomic uint32_t failed; /* with FULL: errno of the worker's sync; the file is not to be trusted with more */
	_Atomic uint32_t renew;  /* the daemon's: a sync failed; the worker is to become FULL at its next boundary */
	/* of the call in hand */
	uint8_t run[16];
	uint32_t op, step, attempt;
	uint32_t rectifying;
	uint64_t since_usec;            /* monotonic */
	_Atomic uint64_t deadline_usec; /* monotonic; 0: none */
	uint32_t deadline_is_program;
	char deadline_program[SPEC_NAME_MAX + 1];
	/* the daemon's wish: the run that `wish_run` names is to stop, read by the worker at boundaries, before a START,
	 * and while it waits. wish_run is written while `wish` is 0 only */
	uint8_t wish_run[16];
	_Atomic uint32_t wish; /* ErrorCode: CANCELLED, INTERRUPTED, PROGRAM_TIMEOUT, or 0 */
	_Atomic uint32_t
		declined; /* the worker's: errno (EALREADY, EPERM) of walk_stop() where the wish came too late; it
				      then sets `wish` to 0. The daemon clears it before the next wish */
	/* not 0: no further run is to be begun. The worker reads it before each START; where it is set, and at the end of
	 * the run in hand, it lets orders that it has not begun go, and leaves (LEAVING, doorbell, exit in good order) */
	_Atomic uint32_t hold;
	/* with hold: the run in hand is to be left, too, at its next boundary, to be carried on by a later daemon (rule 40).
	 * Nothing is recorded; the worker leaves as with hold */
	_Atomic uint32_t pause;
} RecordPage;

#define RECORD_ALIGN 8U                                 /* records begin, and end, at multiples of it */
#define RECORD_PAGE_CHECKED offsetof(RecordPage, check) /* bytes that `check` covers */

_Static_assert(sizeof(RecordPage) <= RECORD_PAGE_SIZE, "the first page holds it");

typedef enum RecordKind {
	RECORD_NONE,
	RECORD_START,   /* a run begins */
	RECORD_BEGIN,   /* an attempt of a call begins */
	RECORD_NOTE,    /* ryuso_note() */
	RECORD_END,     /* an attempt has ended */
	RECORD_STOP,    /* the run was asked to stop, at a boundary */
	RECORD_FINISH,  /* the run has ended, or is parked: the reply */
	RECORD_UNBEGUN, /* a run was not begun: its `start_within` had passed, or it was cancelled */
	RECORD_RETRY,   /* operator's verbs: the run that was parked goes on */
	RECORD_SKIP,
	RECORD_CONFIRM,
	RECORD_PARK,  /* the daemon parked the run where it stood: ModuleChanged, StoreMoved, Damaged */
	RECORD_TAKEN, /* a daemon took the run up after an interruption */
	RECORD_KIND_MAX,
} RecordKind;

static inline bool record_is_decision(RecordKind kind)
{
	return kind == RECORD_RETRY || kind == RECORD_SKIP || kind == RECORD_CONFIRM;
}

/** \brief What goes to a worker as an order, and into START as it came. */
typedef struct RecordStart {
	Id run;
	Id module;              /* module_identity() of what the run is pinned to */
	uint32_t uid, gid, pid; /* of the peer */
	uint32_t flags;         /* RECORD_FLAG_… */
	uint64_t start_by_usec; /* monotonic; 0: whenever */
	uint64_t begun_usec;    /* monotonic; set by the worker */
	uint64_t begun_realtime_usec;
	const char *program; /* borrowed from the record where decoded, as all pointers here; not NUL-terminated there:
				see sizes */
	size_t program_size;
	const void *arguments; /* pool_encode_writes() */
	size_t arguments_size;
	const void *request; /* record_encode_request(), where recovery needs it; may be empty */
	size_t request_size;
} RecordStart;

#define RECORD_FLAG_FOLLOW 1U
#define RECORD_FLAG_PROMISED 2U /* it has a request id, or was submitted: its outcome belongs into the ledger */
#define RECORD_FLAG_PROCESS 4U  /* durability `process`: nothing of it is synced */

/** \brief What a run was asked for with, as far as its outcome must be found by it. Only of promised runs, and of those
 * that have metadata. Flat in START's `request`. */
typedef struct RecordRequest {
	const char *request_id; /* size 0: none */
	size_t request_id_size;
	Id fingerprint;       /* of the request's body */
	const char *metadata; /* JSON text; size 0: none */
	size_t metadata_size;
	uint64_t submitted_usec; /* wall clock; 0: it was no submission */
} RecordRequest;

typedef struct RecordBegin {
	uint32_t op, step, attempt;
	bool rectifying, in_doubt;
	uint64_t usec; /* monotonic */
} RecordBegin;

typedef struct RecordNote {
	uint32_t step; /* whose note it is */
	const char *key;
	size_t key_size;
	const void *data;
	size_t data_size;
} RecordNote;

typedef struct RecordEnd {
	uint32_t op, step, attempt;
	bool rectifying;
	OutcomeKind outcome;
	ErrorCode error;
	uint64_t usec; /* monotonic */
	const char *reason, *message, *program;
	size_t reason_size, message_size, program_size;
	const void *writes; /* pool_encode_writes() */
	size_t writes_size;
} RecordEnd;

typedef struct RecordStop {
	ErrorCode cause;
	const char *program, *message;
	size_t program_size, message_size;
} RecordStop;

typedef struct RecordFinish {
	Id run;
	WalkStatus status;
	ErrorCode error; /* of WalkError, for the log; ERROR_NONE */
	uint32_t error_step;
	uint64_t usec;
	uint32_t n_records, n_syncs; /* that the run took, by the worker that finished it and those before it */
	const char *reply; /* the reply's members from "program" on: no "id", no "run"; ends with "}" (wire/reply.h) */
	size_t reply_size;
} RecordFinish;

/** \brief An operator's verb (the kind says which) on a parked run. The last such record of a run is what it goes on by. */
typedef struct RecordDecision {
	uint32_t step;  /* at which the run stands */
	uint32_t flags; /* RECORD_DECISION_… */
	uint32_t uid;
	uint64_t usec; /* wall clock: which of the ledger's decisions this is */
	const char *reason;
	size_t reason_size;
} RecordDecision;

#define RECORD_DECISION_UNDONE_BY_HAND 1U
#define RECORD_DECISION_CURRENT_MODULE 2U

typedef struct RecordPark {
	ErrorCode code; /* MODULE_CHANGED, STORE_MOVED, DAMAGED */
	const char *message;
	size_t message_size;
} RecordPark;

typedef struct RecordTaken {
	uint32_t interruptions; /* of this run so far, this one included */
	bool barred; /* more of it may have been called than is known: walk_bar(). It stands here so that nothing that
			comes between (a park, another death) makes it forgotten */
	const char *message; /* with barred, for people: why; size 0: none */
	size_t message_size;
	uint64_t usec; /* wall clock */
} RecordTaken;

typedef struct RecordUnbegun {
	Id run;
	ErrorCode cause; /* NOT_STARTED, CANCELLED */
} RecordUnbegun;

/** \brief One record as found. */
typedef struct Record {
	RecordKind kind;
	uint64_t sequence;
	uint64_t synced;
	const uint8_t *content;
	size_t content_size;
	size_t size; /* with header and padding: the next one begins that many bytes further on */
} Record;

/** \brief Looks at the record at \p offset of a file of \p size bytes that is mapped (or read) at \p base. 0; -ENODATA
 * where no record holds there (end, torn, of another file, another sequence than \p sequence expects). */
int record_read(const uint8_t *base, size_t size, size_t offset, uint32_t number, uint64_t sequence, Record *ret);
/** \brief Bytes that a record with \p content_size bytes of content takes. */
size_t record_size(size_t content_size);

/* Each appends the content alone. */
void record_encode_start(const RecordStart *start, Buffer *buffer);
void record_encode_begin(const RecordBegin *begin, Buffer *buffer);
void record_encode_note(const RecordNote *note, Buffer *buffer);
void record_encode_end(const RecordEnd *end, Buffer *buffer);
void record_encode_stop(const RecordStop *stop, Buffer *buffer);
void record_encode_finish(const RecordFinish *finish, Buffer *buffer);
void record_encode_unbegun(const RecordUnbegun *unbegun, Buffer *buffer);
void record_encode_decision(const RecordDecision *decision, Buffer *buffer);
void record_encode_park(const RecordPark *park, Buffer *buffer);
void record_encode_taken(const RecordTaken *taken, Buffer *buffer);
void record_encode_request(const RecordRequest *request, Buffer *buffer);

/* -EBADMSG where the content is not of that kind. */
int record_decode_start(const Record *record, RecordStart *ret);
int record_decode_begin(const Record *record, RecordBegin *ret);
int record_decode_note(const Record *record, RecordNote *ret);
int record_decode_end(const Record *record, RecordEnd *ret);
int record_decode_stop(const Record *record, RecordStop *ret);
int record_decode_finish(const Record *record, RecordFinish *ret);
int record_decode_unbegun(const Record *record, RecordUnbegun *ret);
int record_decode_decision(const Record *record, RecordDecision *ret);
int record_decode_park(const Record *record, RecordPark *ret);
int record_decode_taken(const Record *record, RecordTaken *ret);
/** \brief Of RecordStart.request; of nothing, all members are empty. */
int record_decode_request(const void *data, size_t size, RecordRequest *ret);

/** \brief The mapped file, from either side. Lent memory: whoever maps it unmaps it. */
typedef struct RecordFile {
	uint8_t *base;
	size_t size;
} RecordFile;

static inline RecordPage *record_page(const RecordFile *file)
{
	return (RecordPage *)file->base;
}
/** \brief Where a file is: what tells a copy, or another boot, from the thing itself. */
typedef struct RecordPlace {
	Id machine, boot;
	uint64_t inode, born_usec;
} RecordPlace;

/** \brief Fills in the first page of a zero-filled file. */
void record_page_init(const RecordFile *file, uint32_t number, const RecordPlace *place);
/** \brief Whether the fixed part of the first page holds: magic, version, check. The size in it may be another. */
bool record_page_holds(const RecordFile *file);
/** \brief -EBADMSG where it is no recorder of this version or not of this size, or its fixed part does not hold. */
int record_page_check(const RecordFile *file);
/** \brief For a writer that follows one that died: mends what it may have left half done in the first page (the
 * sequence; an odd turn). No other writer may be alive. */
void record_take_over(const RecordFile *file);
/** \brief Bytes left behind the tail. */
size_t record_room(const RecordFile *file);
/** \brief Writes a record behind the tail with plain stores, then publishes the tail. -ENOSPC where it does not fit;
 * nothing is written then. */
int record_append(const RecordFile *file, RecordKind kind, const void *content, size_t content_size);

/** \brief Whether the BEGIN of what \p action calls is synced before the call (rule 28, durability `disk`): a rectifying
 * call's, and that of a step that has rectifiers or is irreversible; of a call within a step (a dependency is a step of
 * its own), that step's. */
bool record_begin_synced(const Plan *plan, const WalkAction *action);

/** \brief Caps of what a run may write (rule 32), and what room a step needs before it begins. */
typedef struct RecordCaps {
	size_t pool;      /* encoded pool */
	size_t notes;     /* all notes of a run */
	size_t rectified; /* rectifiers' writes */
} RecordCaps;

/** \brief What a note counts for against the cap on notes: all that its record takes. */
size_t record_note_size(size_t key_size, size_t data_size);
/** \brief The room that must be there before a forward attempt begins, so that its end and all the rectification the
 * run may then need fit:
 *
 *   FINISH's and a STOP's own fields + two texts (END's, STOP's) + END's writes (the cap of the pool) + all notes
 *   + FINISH's reply (the cap of the pool, and a line for each step) + rectifiers' writes
 *   + for each call behind the way forward, for each attempt of its budget: a BEGIN and an END without texts.
 *
 * On the way back no new recorder is asked for; an END's texts are left out there once less than this is left. */
size_t record_reserve(const Plan *plan, const RecordCaps *caps);
