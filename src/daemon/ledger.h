/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was promised: submissions that have not ended, outcomes by request id, parked runs whole, operators' decisions,
 * and the list of recent runs. Owned by the main thread, which alone calls what is declared here. A work (whatever
 * changes the ledger) is copied, queued, and written by a thread of the ledger's own, in the order of the calls; its
 * `done` is called from ledger_dispatch(), in the same order, and only when it is on the disk to stay. Look-ups answer
 * at once, know all works that are still under way, and never wait for the disk's syncs. Times here are wall-clock
 * microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/macro.h"

#define LEDGER_NAME "ledger.sqlite"
#define LEDGER_WORKS_MAX 65536U         /* under way at once */
#define LEDGER_WORKS_BYTES (512U << 20) /* that they hold */
#define LEDGER_RECENT_BYTES (8U << 20)  /* of them, at most, or one */
#define LEDGER_RECENT_MAX 1024U         /* recent runs that wait to be written; the oldest is dropped for a new one */
#define LEDGER_RECENT_USEC USEC_PER_SEC /* after which they are, if no other work takes them along */
#define LEDGER_BLOB_MAX (256U << 20)    /* arguments, records, reply: each */
#define LEDGER_TEXT_MAX 1024U           /* program, request id, build id, reason: each */
#define LEDGER_METADATA_MAX (64U << 20)
#define LEDGER_FORGET_MAX 1000U /* runs that one ledger_forget() touches */

typedef struct Ledger Ledger;

typedef enum LedgerState {
	LEDGER_QUEUED,  /* submitted, and not known to have ended: whether it has begun is the recorder's to say */
	LEDGER_PARKED,  /* it is here whole */
	LEDGER_RESUMED, /* it was parked; the recorder holds it again */
	LEDGER_SUCCEEDED,
	LEDGER_RECTIFIED,
	LEDGER_SETTLED,
	LEDGER_REFUSED, /* a submission that never began: cancelled, too late, or no longer fit; its request id is free */
	LEDGER_STATE_MAX,
} LedgerState;

#define LEDGER_UNFINISHED (LEDGER_RESUMED + 1) /* the states of runs that have not ended: they come first */

/** \brief "queued", "parked", "resumed", "succeeded" … */
const char *ledger_state_name(LedgerState state);
static inline bool ledger_state_ended(LedgerState state)
{
	return state >= LEDGER_SUCCEEDED;
}

#define LEDGER_FLAG_FOLLOW 1U
#define LEDGER_FLAG_WAIT 2U
#define LEDGER_FLAG_PROCESS 4U /* durability `process` */

/** \brief A run, as far as it is known. All that it points to is the caller's where it is handed in (copied before the
 * call returns) and borrowed until the callback returns where it is handed out, save by ledger_find() and
 * ledger_find_request(). */
typedef struct LedgerRun {
	Id run;
	LedgerState state;
	uint32_t uid, gid, pid;  /* of the peer */
	const char *request_id;  /* or NULL; scoped by uid */
	Id fingerprint;          /* of the request's body */
	const char *program;     /* NULL: not known (to a work on a run that the ledger holds) */
	Id module;               /* of the spec that it is pinned to */
	const char *build_id;    /* of the module, or NULL */
	uint32_t flags;          /* LEDGER_FLAG_… */
	uint64_t start_by_usec;  /* 0: whenever */
	uint64_t submitted_usec; /* 0: it was no submission */
	uint64_t begun_usec;     /* 0: not known */
	uint64_t ended_usec;     /* or parked; 0: neither */
	ErrorCode error;         /* what made it fail; PARKED: what stopped it */
	uint32_t step;           /* where that was, or where it stands; 0: nowhere */
	bool promised;           /* its outcome is kept as ledger_forget() says of replies, not of runs */
	bool under_way;          /* handed out: some of this is not on the disk yet */
	bool has_arguments;      /* QUEUED; so that an empty pool is told from none */
	const void *arguments;   /* QUEUED: what arguments_encode() wrote; gone when it has ended or parked */
	size_t arguments_size;
	const char *metadata; /* QUEUED: JSON text, or NULL */
	const void *records;  /* PARKED: the run's records, as the recorder can take them back */
	size_t records_size;
	const char *reply; /* PARKED and ended: the members from "program" on, as in the FINISH record; or NULL */
	size_t reply_size;
} LedgerRun;

/** \brief Opens the ledger in \p directory, made where it is missing, brought to this version's form where it is older,
 * and looked through for damage; starts its thread. \p machine: of this machine (see ledger_place()).
 *
 * -EUCLEAN: damaged; -EPROTONOSUPPORT: of a newer version; other errno: it cannot be opened. \p ret_problem (to be
 * freed) is then a sentence that says what is wrong and what to do; nothing was changed. No other part of the process
 * may open or close the ledger's file: that would drop its locks. */
int ledger_open(const char *directory, const Id *machine, Ledger **ret, char **ret_problem);
/** \brief Writes all that is under way, calls what is to be called, leaves one file on the disk. Takes NULL. */
Ledger *ledger_close(Ledger *ledger);
DEFINE_CLEANUP(Ledger *, ledger_close)
#define _cleanup_ledger_ _cleanup_(ledger_closep)

/** \brief Readable when ledger_dispatch() has something to do. */
int ledger_fd(const Ledger *ledger);
/** \brief Calls `done` of the works that are finished. They may begin further works and look things up. */
void ledger_dispatch(Ledger *ledger);
/** \brief Works that are under way, recent runs not counted. */
size_t ledger_under_way(const Ledger *ledger);
/** \brief The sentence about damage that was found since ledger_open(), or NULL. From then on each work is -EUCLEAN. */
const char *ledger_problem(const Ledger *ledger);

/** \brief How a work ended, called once for each work whose function returned 0.
 *
 * 0: it is durable. The works' own negative errno (at each): nothing of it was done, other works are not touched by
 * that. -ENOSPC, -EIO, -EBUSY (somebody else locks the file), -ENOMEM, -EUCLEAN: it was not written, nor was any that
 * it was to be written together with; look-ups do not show it any more; when the machine stopped before the ledger
 * wrote something else, it may yet be found at the next start. The ledger goes on: the next work tries again. */
typedef void (*LedgerDone)(void *context, int r);

/* Works. Each returns 0, or does nothing and returns -ENOBUFS (too much is under way), -E2BIG (a cap), -EINVAL,
 * -ENOMEM, or -ESHUTDOWN (within ledger_close()). `done` may be NULL. */

/** \brief Puts a run at the end of the queue: all fields down to `submitted_usec`, arguments and metadata; it is
 * promised. -EEXIST: the run, or the user's request id, is in the ledger already. */
int ledger_submit(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context);
/** \brief The run has ended in \p run->state, with `reply`, `error`, `step` and the times. It leaves the queue, or is
 * parked or resumed no more, in the same transaction; its arguments and records are erased. What the ledger knew of it
 * (from the peer to `submitted_usec`) stays as it was, save the module and its build id, where \p run says one: another
 * may have come before it began; a run that it did not hold gets all that from \p run. REFUSED sets the request id
 * free. -EALREADY: it has ended before, and what is kept of that stays. -EEXIST: the request id is
 * another run's. */
int ledger_finish(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context);
/** \brief ledger_finish() of a run that nothing was promised of and that the ledger does not hold: written when there
 * is time, for the list of recent runs alone; dropped, and counted, where there is none. Found at once. */
int ledger_remember(Ledger *ledger, const LedgerRun *run);
/** \brief The run parks: \p run->records, `reply`, `error` and `step` (where it stands), `ended_usec`; else as
 * ledger_finish(). One that was parked or resumed before parks anew. */
int ledger_park(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context);
/** \brief The recorder holds the run durably again: it is parked no more, its records are erased, and its decisions are
 * done. Until then, or where the machine stops before, it is found parked, with the decision still to be done. Of one
 * that is resumed already: 0. -ENOENT: no such run; -EALREADY: it has ended; -ESTALE: it never parked. */
int ledger_resume(Ledger *ledger, const Id *run, LedgerDone done, void *context);

typedef enum LedgerVerb {
	LEDGER_RETRY,
	LEDGER_SKIP,
	LEDGER_CONFIRM,
	LEDGER_VERB_MAX,
} LedgerVerb;

/** \brief "retry", "skip", "confirm". */
const char *ledger_verb_name(LedgerVerb verb);

#define LEDGER_DECISION_UNDONE_BY_HAND 1U /* of a skip */
#define LEDGER_DECISION_CURRENT_MODULE 2U /* of a retry */

/** \brief What an operator decided about a parked run. */
typedef struct LedgerDecision {
	Id run;
	uint32_t step;
	LedgerVerb verb;
	uint32_t flags; /* LEDGER_DECISION_… */
	uint32_t uid;
	const char *reason; /* or NULL */
	uint64_t usec;
	bool done; /* handed out: ledger_resume(), ledger_park() or ledger_finish() came after it */
} LedgerDecision;

/** \brief -ENOENT: no such run; -ESTALE: it is not parked, or not at that step; -EBUSY: a decision about it is still to
 * be done. */
int ledger_decide(Ledger *ledger, const LedgerDecision *decision, LedgerDone done, void *context);

/** \brief How long ended runs are kept; what is beyond either bound of its kind goes. 0: no bound. */
typedef struct LedgerRetention {
	uint64_t runs, runs_usec;       /* KeepRuns=: those that nothing is promised of */
	uint64_t replies, replies_usec; /* KeepReplies=: promised ones; afterwards request id and reply are erased, and
					   the rest is kept like any other run's */
} LedgerRetention;

/** \brief Queued, parked and resumed runs are never touched. `done` gets 1 where there is more to be forgotten than one
 * call does. */
int ledger_forget(Ledger *ledger, const LedgerRetention *retention, uint64_t now_usec, LedgerDone done, void *context);

/** \brief An operator holds the queue, or lets it go on; kept over restarts. */
typedef struct LedgerHold {
	bool held;
	uint32_t uid;
	const char *reason; /* or NULL */
	uint64_t usec;
} LedgerHold;

int ledger_hold(Ledger *ledger, const LedgerHold *hold, LedgerDone done, void *context);

typedef enum LedgerPlace {
	LEDGER_SAME,
	LEDGER_MOVED, /* other machine, or another file than the one that was written: a copy, or a restored backup */
} LedgerPlace;

/** \brief Whether the ledger is where it was when ledger_adopt() was last done (or where it was made). */
LedgerPlace ledger_place(const Ledger *ledger);
/** \brief When it was last found to have been elsewhere before: what had parked by then may exist there, too. 0: never. */
uint64_t ledger_moved_usec(const Ledger *ledger);
/** \brief Takes the present place for the ledger's own: when the runs that must park have. */
int ledger_adopt(Ledger *ledger, LedgerDone done, void *context);

/** \brief No `done` is called any more with \p context; the works are done all the same. */
void ledger_disown(Ledger *ledger, const void *context);

/* Look-ups. 0 or negative errno: -ENOENT: there is none; -EUCLEAN, -EIO, -ENOMEM: it cannot be known. Callbacks return
 * 0 to go on, or what the look-up is to return at once. */

typedef struct LedgerFound {
	LedgerRun run;
	void *memory; /* owned: what `run` points to */
} LedgerFound;

void ledger_found_done(LedgerFound *found);
#define _cleanup_ledger_found_ _cleanup_(ledger_found_done)

/** \brief The run that a user's request id stands for, with its reply; without arguments, metadata and records. */
int ledger_find_request(Ledger *ledger, uint32_t uid, const char *request_id, LedgerFound *ret);
/** \brief The same by the run's id. */
int ledger_find(Ledger *ledger, const Id *run, LedgerFound *ret);

typedef int (*LedgerOnRun)(void *context, const LedgerRun *run);
typedef int (*LedgerOnDecision)(void *context, const LedgerDecision *decision);

/** \brief The queue in its order, each with its arguments and metadata, as it is on the disk. For the start. */
int ledger_take(Ledger *ledger, LedgerOnRun on_run, void *context);
/** \brief A parked run whole, with records and reply, once; as it is on the disk. -ESTALE: it is not parked. */
int ledger_unpark(Ledger *ledger, const Id *run, LedgerOnRun on_run, void *context);

#define LEDGER_BIT(state) (1U << (state))
#define LEDGER_BITS_UNFINISHED (LEDGER_BIT(LEDGER_QUEUED) | LEDGER_BIT(LEDGER_PARKED) | LEDGER_BIT(LEDGER_RESUMED))
#define LEDGER_LIST_MAX 10000U

typedef struct LedgerFilter {
	unsigned states;     /* LEDGER_BIT() of those wanted; 0: of any */
	const char *program; /* NULL: any */
	bool has_uid;
	uint32_t uid;
	uint64_t since_usec; /* submitted, ended or parked then or later */
	size_t limit;        /* 0, or more than LEDGER_LIST_MAX: that */
	bool replies;        /* hand out their replies, too */
	size_t reply_max;    /* not 0: only of those that are parked or failed, and none that is larger */
	size_t look_max;     /* runs (of `uid`, where it is given) that are looked through; 0: all */
} LedgerFilter;

/** \brief Recent runs, then what is on the disk, newest first (by when each was submitted, parked, resumed or ended
 * last); without arguments, metadata and records. */
int ledger_list(Ledger *ledger, const LedgerFilter *filter, LedgerOnRun on_run, void *context);
/** \brief Whether there are runs on the disk that ledger_list() with that \p filter does not look at, for its look_max.
 */
bool ledger_list_cuts(Ledger *ledger, const LedgerFilter *filter);
/** \brief Decisions about \p run, oldest first; NULL: all that are still to be done. */
int ledger_decisions(Ledger *ledger, const Id *run, LedgerOnDecision on_decision, void *context);

/** \brief Each module that any run of the ledger's is pinned to, once or more, as far as it is known. */
int ledger_modules(Ledger *ledger, int (*on_module)(void *context, const Id *module), void *context);

typedef struct LedgerCounts {
	uint64_t runs[LEDGER_STATE_MAX]; /* on the disk */
	uint64_t recent_dropped;         /* since ledger_open(); the rest likewise */
	uint64_t works, works_failed;    /* written; and not, for want of a disk that takes them */
	uint64_t commits;
} LedgerCounts;

int ledger_counts(Ledger *ledger, LedgerCounts *ret);
/** \brief How many runs are queued, parked, resumed: on the disk, without a look at it. */
void ledger_unfinished(Ledger *ledger, uint64_t ret[static LEDGER_UNFINISHED]);
/** \brief \p ret->reason is the ledger's own until the next call. */
int ledger_held(Ledger *ledger, LedgerHold *ret);

/** \brief Looks at the ledger in \p directory without a Ledger, writing nothing, whatever state it is in, while a daemon
 * has it open, too. Callbacks may be NULL. */
typedef struct LedgerInspection {
	void (*on_run)(void *context, const LedgerRun *run); /* with all that there is */
	void (*on_decision)(void *context, const LedgerDecision *decision);
	void (*on_hold)(void *context, const LedgerHold *hold);
	void (*on_problem)(void *context, const char *sentence); /* damage; what could not be read */
	void *context;
} LedgerInspection;

/** \brief 0: all was read; -ENOENT: there is no ledger; -EUCLEAN: on_problem has said what is damaged, the rest was
 * handed out; other errno where it cannot be read at all. */
int ledger_inspect(const char *directory, const LedgerInspection *inspection);
