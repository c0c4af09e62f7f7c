/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the ledger's files. The main thread owns everything but what is marked as shared (under `mutex`) and the
 * writing connection, which is the thread's while there is one. A work is the main thread's, in `works` and the index,
 * from its making until its `done` was called; in between the thread writes its `result` alone. So is a recent run, in
 * `recents`, save that nobody waits for it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "daemon/ledger_schema.h"

#define LEDGER_BUCKETS 256U
#define LEDGER_GROUP_MAX 512U                 /* works in one transaction */
#define LEDGER_GROUP_BYTES (16U << 20)        /* that they hold; a larger one stands alone */
#define LEDGER_GROUP_RECENT 32U               /* recent runs that a group of others takes along */
#define LEDGER_WAL_PAGES 1000                 /* after which a checkpoint is due */
#define LEDGER_TIDY_USEC USEC_PER_SEC         /* without works, before the log of the database is emptied */
#define LEDGER_ERASE_USEC (30 * USEC_PER_SEC) /* at the latest, where something in it was to be erased */
#define LEDGER_WRITE_BUSY_MSEC 5000
#define LEDGER_READ_BUSY_MSEC 100
#define LEDGER_TIDY_BUSY_MSEC 20

typedef enum WorkKind {
	WORK_SUBMIT,
	WORK_FINISH,
	WORK_PARK,
	WORK_RESUME,
	WORK_DECIDE,
	WORK_FORGET,
	WORK_HOLD,
	WORK_ADOPT,
	WORK_KIND_MAX,
} WorkKind;

typedef struct Work {
	TAILQ_ENTRY(Work) entry;         /* in Ledger.works */
	TAILQ_ENTRY(Work) run_entry;     /* in by_run: works that change a run */
	TAILQ_ENTRY(Work) request_entry; /* in by_request: those of them that bring a request id */
	STAILQ_ENTRY(Work) turn;         /* in todo or recent, the thread's group, then finished */
	WorkKind kind;
	bool recent; /* of ledger_remember(): in `recents`, not in `works` */
	int result;
	int8_t left, entered; /* states that it took a run out of, and into; -1: none */
	size_t size;
	LedgerDone done; /* or NULL */
	void *context;
	union {
		LedgerRun run; /* RESUME: its id alone */
		LedgerDecision decision;
		LedgerHold hold;
		SchemaPlace place;
		struct {
			LedgerRetention retention;
			uint64_t now_usec;
		} forget;
	};
	/* what these point to follows */
} Work;

TAILQ_HEAD(WorkList, Work);
STAILQ_HEAD(WorkTurns, Work);

struct Ledger {
	char *path; /* owned */
	SchemaPlace here;
	LedgerPlace place;
	Sql reader;
	char *hold_reason; /* owned; of the last ledger_held() */
	struct WorkList works;
	struct WorkList by_run[LEDGER_BUCKETS], by_request[LEDGER_BUCKETS];
	size_t n_works, n_bytes;
	struct WorkList recents; /* not known to be written */
	Work *spilt;             /* owned: was recent, and serves again; or NULL */
	bool closing;
	int fd; /* eventfd: `finished` is not empty */

	pthread_t thread;
	bool threaded;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	/* shared */
	struct WorkTurns todo, finished, recent;
	size_t n_recent, recent_bytes;
	bool stop;     /* the thread is to end when nothing is left */
	bool waiting;  /* it waits for something to do */
	bool checking; /* it looks for damage, and may be interrupted */
	char *problem; /* owned; set once */
	uint64_t n_dropped, n_written, n_failed, n_commits;
	uint64_t n_unfinished[LEDGER_UNFINISHED];

	/* the thread's */
	Sql writer;
	bool unchecked; /* something is left for schema_check_rest() */
	bool untidy;    /* the log of the database holds something */
	int wal_pages;
	uint64_t erase_usec;      /* monotonic: since when something in it is to be erased; 0: nothing is */
	uint64_t written_usec;    /* when the last group was */
	uint64_t tidy_again_usec; /* not before */
};

/* ledger_work.c: copies, and the index of what is under way */

/** \brief Bytes that what \p run points to takes, packed; 0 where a cap is passed. */
size_t run_packed_size(const LedgerRun *run);
/** \brief Moves what \p run points to behind \p at. */
void run_pack(LedgerRun *run, uint8_t *at);
/** \brief A work with room for \p size bytes behind it. */
int work_new(WorkKind kind, size_t size, LedgerDone done, void *context, Work **ret);
int work_new_run(WorkKind kind, const LedgerRun *run, LedgerDone done, void *context, Work **ret);
/** \brief Makes what \p *work held (NULL: nothing) into another one. Where that fails, it stays as it was. */
int work_renew_run(WorkKind kind, const LedgerRun *run, Work **work);
bool work_has_run(const Work *work);
void works_init(Ledger *ledger);
/** \brief The ledger owns the work from now on. */
void works_add(Ledger *ledger, Work *work);
void works_remove(Ledger *ledger, Work *work);
/** \brief The works on runs whose ids are like \p run; walk run_entry. */
struct WorkList *works_of_run(const Ledger *ledger, const Id *run);
/** \brief The first work that may bring \p request_id; walk request_entry from it. */
Work *works_first_request(const Ledger *ledger, uint32_t uid, const char *request_id);
bool work_brings(const Work *work, uint32_t uid, const char *request_id);
/** \brief What \p run becomes by all works under way; \p known: whether there is one yet. Whether there is one then. */
bool works_overlay(const Ledger *ledger, const Id *id, LedgerRun *run, bool known);

/* ledger.c */
/** \brief The thread has something to do. With the mutex held. */
void ledger_wake(Ledger *ledger);
/** \brief An ended or parked run: without what only a queued one has. */
LedgerRun run_past(const LedgerRun *run, LedgerState state);
bool run_has_end(const LedgerRun *run);

/* ledger_recent.c: recent runs that are not known to be written */
void recents_remove(Ledger *ledger, Work *work);
/** \brief Whether the run of that id is among them. */
bool recents_have(const Ledger *ledger, const Id *run);

/* ledger_write.c: works → database, on the thread */

/** \brief Writes one work within a transaction. Negative errno: the transaction is lost. What the work itself has come
 * to is in \p work->result: nothing is written where that is negative. */
int work_write(Sql *sql, Work *work);
int forget_write(Sql *sql, Work *work); /* ledger_forget.c */
/** \brief Whether it erases something that may be secret. */
bool work_erases(const Work *work);

/* ledger_thread.c */
void *ledger_thread(void *userdata);
/** \brief Notes damage, once; \p what: a clause. With the mutex not held. */
void ledger_damaged(Ledger *ledger, const char *what);

/* ledger_row.c: database → runs */

#define ROW_RUN                                                                                                           \
	"runs.run, state, uid, gid, pid, request_id, fingerprint, program, module, build_id, flags, start_by, submitted," \
	" begun, ended, error, step, promised, replied"
#define ROW_REPLY "replies.reply, replies.crc"
#define ROW_SUBMISSION "submissions.arguments, submissions.crc, submissions.metadata"
#define ROW_RECORDS "parked.records, parked.crc"

/** \brief Each reads its columns; borrowed. -EUCLEAN where a checksum is wrong, or a reply is missing. */
int row_run(Statement *row, LedgerRun *ret); /* reply_size 1: there is a reply */
int row_reply(Statement *row, LedgerRun *run);
int row_reply_if(Statement *row, LedgerRun *run); /* the same where it may have been left out */
int row_submission(Statement *row, LedgerRun *run);
int row_records(Statement *row, LedgerRun *run);
int row_decision(Statement *row, LedgerDecision *ret); /* runs.run, step, verb, flags, uid, reason, decided, done */

/* ledger_read.c */
/** \brief The end of a look-up: damage is remembered. */
int ledger_looked(Ledger *ledger, int r);

/* ledger_image.c */

/** \brief Appends the database at \p path as it was at one moment, with what its log adds, to \p image. \p ret_problem
 * (to be freed, or NULL): a sentence, where that is doubtful. Opens the files for reading alone, and locks nothing. */
int image_read(const char *path, Buffer *image, char **ret_problem);
