/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was promised, and to whom (rule 34): the ledger as the rest of the daemon sees it, and the index of the request
 * ids whose runs are in memory. A request id has one answer at every moment: from the run in memory, else from the
 * ledger. */
#pragma once

#include "daemon/ledger.h"
#include "daemon/queue.h"

#define PROMISES_FORGET_USEC (60 * USEC_PER_SEC)
#define PROMISES_RETRY_USEC USEC_PER_SEC /* after which a refusal that could not be written is tried again */

typedef struct Refusal Refusal;

typedef struct Promises {
	const Config *config;
	Queue *queue;
	Ledger *ledger;           /* owned; NULL: not open */
	char *problem;            /* owned; why it cannot be used: StoreDamaged; NULL */
	void *index;              /* of request ids: tsearch(3) */
	struct RunList promising; /* RUN_PROMISING */
	size_t n_promising;
	TAILQ_HEAD(, Refusal) refusals; /* owned; of submissions, not in the ledger yet */
	uint64_t refuse_at_usec;        /* when those are tried again that failed; 0: none has */
	uint64_t n_parked, n_submitted; /* in the ledger, as of the last commit; n_submitted: queued ones */
	bool held;                      /* an operator holds the queue */
	bool forgetting;
	bool closing;
	uint64_t forget_at_usec;
	void (*on_change)(void *context); /* something was committed: counts may differ, the manager turns */
	void *context;
} Promises;

/** \brief \p queue tells of what it refuses from then on. */
void promises_init(Promises *promises, const Config *config, Queue *queue);
/** \brief Writes what is under way, calls what is to be called, closes the ledger; what was counted stays. */
void promises_close(Promises *promises);
/** \brief Closes, and frees the rest. Runs in its index may be gone by then. */
void promises_done(Promises *promises);
/** \brief Opens the ledger in \p directory. -EUCLEAN …: `problem` says what and what to do. */
int promises_open(Promises *promises, const char *directory, const Id *machine);
/** \brief Readable when promises_dispatch() has something to do; -EBADF: not open. */
int promises_fd(const Promises *promises);
void promises_dispatch(Promises *promises);
/** \brief Retention, and what could not be written; once per pulse. */
void promises_check(Promises *promises, uint64_t now_usec);
/** \brief Whether promises_check() has something to wait for that cannot wait for the next request. */
static inline bool promises_waits(const Promises *promises)
{
	return promises->n_promising > 0 || !TAILQ_EMPTY(&promises->refusals);
}
/** \brief Why no promise can be made now: a sentence, or NULL. */
const char *promises_problem(const Promises *promises);

/** \brief What a request id stands for. */
typedef enum PromiseKind {
	PROMISE_NONE,  /* nothing: a new run may be made */
	PROMISE_RUN,   /* `run`, in memory: join it */
	PROMISE_ENDED, /* `found` holds the reply (ended, or parked) */
	PROMISE_OTHER, /* the same id with another body */
	PROMISE_LATER, /* what the ledger says of `found` is not the whole truth now: it waits for its module, or for a
			  disk that takes its outcome */
} PromiseKind;
typedef struct Promise {
	PromiseKind kind;
	Run *run;
	LedgerFound found;
} Promise;
void promise_done(Promise *promise);
#define _cleanup_promise_ _cleanup_(promise_done)
/** \brief Negative errno where it cannot be known. */
int promises_find(Promises *promises, uint32_t uid, const char *request_id, const Id *fingerprint, Promise *ret);
/** \brief \p run, whose request_id is set, can be found by it until promises_leave(), which run_free()'s callers call.
 * -EEXIST: another one can; -ENOMEM. */
int promises_enter(Promises *promises, Run *run);
void promises_leave(Promises *promises, Run *run);

/** \brief Takes \p run; when it is durable, those who want to know that it is queued are told, and it is pushed to the
 * queue. \p arguments, \p metadata_text (or NULL): for the ledger. On failure it is refused with StoreDamaged, or,
 * where a sync failed and it may yet be found at the next start, its clients learn that its outcome is unknown. */
void promises_submit(Promises *promises, Run *run, const Buffer *arguments, const char *metadata_text, bool wait);
/** \brief Whether the ledger is to hold how \p run ends for more than the list of recent runs. */
static inline bool promises_keeps(const Run *run)
{
	return run->promised || run->submitted || run->status == WALK_PARKED;
}
/** \brief The outcome of \p run, which is in state RUN_STORING: finish, park, or (nothing promised) remember. \p done
 * is called with it, unless 1 is returned: nothing is to be waited for. Negative errno: nothing was begun. */
int promises_store(Promises *promises, Run *run, LedgerDone done, void *context);
/** \brief The same where nothing is promised; \p reply is borrowed. Where there is no time for it, it is dropped. */
void promises_remember(Promises *promises, const Run *run, const char *reply, size_t reply_size);
/** \brief A submission was refused without having begun: its request id is free again. Tried until it is written;
 * \p done (may be NULL) is called then, or where that will never be. Negative errno: nothing was begun. */
int promises_refuse(Promises *promises, const Id *run, ErrorCode code, LedgerDone done, void *context);
/** \brief The same for who does not wait for that; what fails is logged: the next start finds the submission again. */
void promises_refused(Promises *promises, const Run *run, ErrorCode code);
/** \brief Nobody is told any more with \p context. */
void promises_disown(Promises *promises, const void *context);
/** \brief Calls \p on_run for each queued submission, for the start. */
int promises_take(Promises *promises, LedgerOnRun on_run, void *context);
