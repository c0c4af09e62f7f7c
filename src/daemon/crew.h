/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers, and the runs that are with them. One worker is active: runs are ordered from it in batches, and it
 * performs them one after another. A spare stands ready and takes over only when its predecessor is reaped and nothing
 * that it left is alive. Runs that a dead worker did not begin go back to the head of the queue; the run that it was in
 * is taken up by its successor from the recorder. The crew owns the runs from their order on, the recorder, and what is
 * known of the module. */
#pragma once

#include "daemon/catalog.h"
#include "daemon/hand.h"
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

typedef struct Crew {
	Poller *poller;
	const Config *config;
	const char *instance;
	Trace *trace;
	Queue *queue;
	const char *worker; /* path of the program */
	char *module_path;  /* owned; NULL: not found yet */
	int module_fd;
	Recorder recorder;
	Catalog *catalog;     /* NULL before the first good hello */
	char *problem;        /* owned; why no worker can be had; NULL: one can, or it is not known yet */
	char *store_problem;  /* owned; why nothing can be recorded; NULL */
	Hand *active, *spare; /* the spare may still be starting, or be ending */
	struct RunList ordered;
	size_t n_ordered;
	Run *current;  /* of them, the one that has begun; it is the first */
	bool tired;    /* the active worker is to be replaced */
	bool clearing; /* something that a dead worker left may be alive */
	bool barren;   /* nothing has come of the active worker yet */
	bool damaged;  /* the recorder does not hold what it should */
	bool stopping;
	bool cut_off; /* the time to stop in is over: nobody takes over any more */
	CrewCause cause;
	uint64_t renew_at_usec; /* not before: a new recorder could not be made */
	unsigned failures;      /* in a row */
	uint64_t retry_at_usec;
	uint64_t n_ended[WALK_STATUS_MAX];
	uint64_t n_started; /* workers */
} Crew;

typedef struct CrewSetup {
	Poller *poller;
	const Config *config;
	const char *instance;
	Trace *trace;
	Queue *queue;
	const char *worker;
} CrewSetup;

void crew_init(Crew *crew, const CrewSetup *setup);
void crew_done(Crew *crew);
/** \brief Makes the recorder in \p directory; workers can be had from then on. */
int crew_open(Crew *crew, const char *directory);
RecordCaps crew_caps(const Config *config);

/** \brief Whether it is known if there is a module. */
bool crew_settled(const Crew *crew);
/** \brief Reads what was recorded up to now. */
void crew_look(Crew *crew);
/** \brief What is to be done now: reads the recorder, lets a successor take over, orders runs. Once per turn of the
 * loop. */
void crew_step(Crew *crew);
/** \brief Time-outs of hooks, modules and workers; every 5 ms while crew_busy(). */
void crew_tick(Crew *crew, uint64_t now_usec);
/** \brief SIGCHLD has come. */
void crew_reap(Crew *crew);
/** \brief Whether there is something to do that can wait until there is nothing else: a spare to be started, a spent
 * recorder to be cleaned. crew_use_idle() does one of it. */
bool crew_wants_idle(const Crew *crew);
void crew_use_idle(Crew *crew);
/** \brief Runs are with a worker. */
bool crew_busy(const Crew *crew);
/** \brief crew_tick() has something to wait for, if not every 5 ms. */
bool crew_waits(const Crew *crew);
/** \brief No run begins any more. */
void crew_stop(Crew *crew);
/** \brief Kills the workers; what was in hand stays in the recorder. */
void crew_cut_off(Crew *crew);
/** \brief After crew_stop(): nothing is with a worker any more, and none is alive. */
bool crew_ended(const Crew *crew);
/** \brief Runs that have not begun. */
size_t crew_waiting(const Crew *crew);
