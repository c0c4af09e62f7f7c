/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers, and the runs that are with them. One worker is active: runs are ordered from it in batches, and it
 * performs them one after another. A spare stands ready and takes over only when its predecessor is reaped and nothing
 * that it left is alive. Runs that a dead worker did not begin go back to the head of the queue; the run that it was in
 * is taken up by its successor from the recorder. A run is only ever given to a worker of the build that it is pinned
 * to: usually the module in use, else a guest. The crew owns the runs from their order up to their end, the recorder,
 * and what is known of modules. */
#pragma once

#include <sys/stat.h>

#include "daemon/catalog.h"
#include "daemon/hand.h"
#include "daemon/modules.h"
#include "daemon/outcomes.h"
#include "daemon/queue.h"
#include "daemon/recorder.h"
#include "daemon/trace.h"

#define CREW_BACKOFF_MIN_USEC USEC_PER_SEC
#define CREW_BACKOFF_MAX_USEC (60 * USEC_PER_SEC)
#define CREW_UNSENT_MAX (1U << 20) /* bytes of orders that wait for a worker to take them; no more are sent then */
#define CREW_LOSSES_MAX 3U         /* workers that may die of a run before it has begun */

/** \brief Why the attempt in hand has no end. */
typedef struct CrewCause {
	ErrorCode code; /* NONE: not known yet */
	char program[SPEC_NAME_MAX + 1];
	char message[256];
} CrewCause;

/** \brief A build that is not (known to be) the one in use, and to which runs are pinned. Kept until the end. */
typedef struct CrewGuest {
	struct CrewGuest *next;
	ModuleNote note;
	char *path; /* owned; of the file that was found; NULL: none yet */
	int fd;
	unsigned deaths; /* of its workers before they were ready, in a row */
	bool unfit;      /* its file is not to be had, is not what it should be, or kills whoever loads it */
} CrewGuest;

/** \brief What workers are started with. */
typedef struct CrewLimits {
	RecordCaps caps;
	uint64_t memory; /* 0: no limit */
} CrewLimits;

/** \brief A module's file: workers load what was opened, whatever becomes of the name. */
typedef struct CrewModule {
	char *path; /* owned; NULL: not found yet */
	int fd;
	struct stat status; /* as it was opened */
} CrewModule;

/** \brief What came of crew_change(): the module is in use (\p problem NULL), another build than before or not; or it
 * cannot be used, and nothing has changed. */
typedef void (*CrewChanged)(void *context, const char *problem, bool other);

/** \brief A module that is being tried: a worker is started with it, while others go on with the one in use. */
typedef struct CrewNext {
	CrewModule module;
	CrewLimits limits;
	CrewChanged done;
	void *context;
} CrewNext;

/** \brief A cancel was recorded (0), or came too late: -EALREADY; -EPERM: an irreversible step is done, or nothing is
 * left to run. */
typedef void (*CrewCancelled)(void *context, int r, bool begun);

typedef struct CrewCancel CrewCancel;
TAILQ_HEAD(CrewCancels, CrewCancel);
typedef struct CrewRefusal CrewRefusal;
TAILQ_HEAD(CrewRefusals, CrewRefusal);

typedef struct CrewEvents {
	void (*on_resumed)(Run *run, void *context); /* one that was parked: the recorder holds it, and is synced */
	void (*on_unfit)(Run *run, void *context);   /* takes a run that was parked: no worker can take it up */
	/* Takes a run of which records are missing: it parks as Damaged. \p end: how far its records, from run->offset on,
	 * hold; 0: none is known. */
	void (*on_damaged)(Run *run, size_t end, void *context);
	void *context;
} CrewEvents;

typedef struct CrewSetup {
	Poller *poller;
	const Config *config;
	const char *instance;
	Trace *trace;
	Queue *queue;
	Outcomes *outcomes;
	Metrics *metrics;
	const char *worker; /* path of the program */
	CrewEvents events;
} CrewSetup;

typedef struct Crew {
	CrewSetup setup;
	const char *home;      /* the state directory; borrowed */
	const char *directory; /* the same, once the recorder is open; NULL before */
	int tree_fd;           /* borrowed: the lock of the workers' tree */
	CrewModule module;     /* the one in use */
	CrewNext *next;        /* owned; NULL */
	Catalog *catalog;      /* of the module in use; NULL before the first good hello */
	CrewGuest *guests;
	Recorder recorder;
	char *problem;        /* owned; why no worker can be had; NULL: one can, or it is not known yet */
	char *store_problem;  /* owned; why nothing can be recorded; NULL */
	Hand *active, *spare; /* the spare may still be starting, or be ending */
	Id active_identity;   /* null: of the module in use, which is not known yet */
	Id spare_identity;
	bool spare_is_next; /* it tries `next` */
	struct RunList ordered;
	size_t n_ordered;
	size_t pace_usec;         /* of a run, lately; eight times */
	unsigned shared_ticks;    /* since several users had runs; 0: long ago */
	uint64_t kept_since_usec; /* a user waits, and has nothing with the worker; 0: none does */
	Run *current;             /* of them, the one that has begun; it is the first */
	size_t resumed_at;        /* where its decision stands, until that is synced; 0: nothing is waited for */
	ErrorCode stop;           /* with which it is stopped when it is taken up after an interruption */
	struct CrewCancels cancels;
	struct CrewRefusals refusals; /* until the ledger has them */
	bool held;                    /* nothing new begins: an operator's hold, or a parked run */
	bool tired;                   /* the active worker is to be replaced */
	bool clearing;                /* something that a dead worker left may be alive */
	bool barren;                  /* nothing has come of the active worker yet */
	bool damaged;                 /* the recorder does not hold what it should */
	bool spoilt;                  /* nothing more is read of it, until there is a new one */
	bool forsaken;                /* what the recorder holds cannot be read: a new one takes nothing along */
	bool renew_wanted;            /* a sync has failed */
	bool recycle_wanted;          /* the worker has not written into the new recorder yet */
	bool stopping;
	bool pausing; /* the run in hand is to be left at a boundary */
	bool cut_off; /* the time to stop in is over: nobody takes over any more */
	CrewCause cause;
	RecorderKept *kept; /* owned; lent to a renewal */
	size_t n_kept;
	size_t wanted;          /* room, of the renewal */
	uint64_t renew_at_usec; /* not before: a new recorder could not be made */
	unsigned failures;      /* in a row */
	uint64_t retry_at_usec;
	uint64_t n_started; /* workers */
	uint64_t n_failed;  /* times that none could be had */
} Crew;

void crew_init(Crew *crew, const CrewSetup *setup);
void crew_done(Crew *crew);
/** \brief Makes the recorder in \p setup->directory, with \p kept in it; workers can be had from then on. */
int crew_open(Crew *crew, const RecorderSetup *setup, int tree_fd, RecorderKept *kept, size_t n_kept);
/** \brief After crew_open(): \p run, whose records begin at run->offset in the new recorder, is taken up by the first
 * worker of its build; an attempt in hand ends unknown with INTERRUPTED and \p message; \p stop: see OrderResume. */
void crew_adopt(Crew *crew, Run *run, ErrorCode stop, const char *message);
/** \brief The catalog of the build that runs of \p identity are pinned to: the one in use, or a guest's. NULL where
 * nothing is known of it: \p ret_problem (to be freed) and errno say why. */
const Catalog *crew_catalog(Crew *crew, const Id *identity, char **ret_problem);
/** \brief Whether a file of that build is there; errno says why not. */
bool crew_has_module(Crew *crew, const Id *identity);
/** \brief Asks for a run that is with a worker to be cancelled; \p now: a running hook is killed. -ENOENT: it is not
 * here; -EBUSY: it is being cancelled already. */
int crew_cancel(Crew *crew, const Id *run, bool now, CrewCancelled done, void *context);
/** \brief \p context is not told any more. */
void crew_forget_cancel(Crew *crew, const void *context);
/** \brief The run of that id that is with a worker, or NULL. */
Run *crew_find(const Crew *crew, const Id *id);
/** \brief Nothing new begins from now on, or again. */
void crew_hold(Crew *crew, bool held);
RecordCaps crew_caps(const Config *config);
/** \brief Takes up what \p config says of the module and of workers' limits. 0: it is in use already. 1: it is being
 * tried, \p done is called. -EAGAIN: nothing can be tried before the store can be used; what is opened then will be what
 * the crew's settings say then. -EBUSY: another one is being tried. -EBADMSG with \p ret_problem (to be freed; NULL:
 * out of memory): it cannot be opened. */
int crew_change(Crew *crew, const Config *config, CrewChanged done, void *context, char **ret_problem);

/** \brief Whether it is known if there is a module. */
bool crew_settled(const Crew *crew);
/** \brief Reads what was recorded up to now. */
void crew_look(Crew *crew);
/** \brief What is to be done now: reads the recorder, lets a successor take over, orders runs. Once per turn of the
 * loop. */
void crew_step(Crew *crew);
/** \brief Time-outs of hooks, modules and workers, and what was recorded since the doorbell rang; every 5 ms while
 * crew_busy(). */
void crew_tick(Crew *crew, uint64_t now_usec);
/** \brief SIGCHLD has come. */
void crew_reap(Crew *crew);
/** \brief Whether there is something to do that can wait until there is nothing else: a spare to be started.
 * crew_use_idle() does it. */
bool crew_wants_idle(const Crew *crew);
void crew_use_idle(Crew *crew);
/** \brief Runs are with a worker. */
bool crew_busy(const Crew *crew);
/** \brief Runs of durability `process` are with the worker, and more of them will be heard of within a moment. */
bool crew_is_quick(const Crew *crew);
/** \brief crew_tick() has something to wait for, if not every 5 ms. */
bool crew_waits(const Crew *crew);
/** \brief No run begins any more. */
void crew_stop(Crew *crew);
/** \brief After crew_stop(): the run in hand is left at its next boundary, to be carried on by a later daemon. */
void crew_pause(Crew *crew);
/** \brief Kills the workers; what was in hand stays in the recorder. */
void crew_cut_off(Crew *crew);
/** \brief After crew_stop(): nothing is with a worker any more, and none is alive. */
bool crew_ended(const Crew *crew);
/** \brief Runs that have not begun. */
size_t crew_waiting(const Crew *crew);
