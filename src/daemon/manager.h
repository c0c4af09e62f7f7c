/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole daemon: owns every other part, the event loop, signals, the clock that looks at time-outs, the start and
 * the end. Everything runs in one thread; the log, the recorder and
 * the ledger have one each for what waits for a disk. */
#pragma once

#include "daemon/listener.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/recovery.h"
#include "daemon/reload.h"

#define MANAGER_LARGE_SIZE (128 << 10)
#define MANAGER_TRIM_KEEP (1U << 20)
#define MANAGER_TICK_USEC 5000ULL             /* while runs are with a worker */
#define MANAGER_PULSE_USEC 100000ULL          /* while something else is timed */
#define MANAGER_LINGER_TICKS 20U              /* so that a busy client does not set the clock for each request */
#define MANAGER_FLUSH_USEC (5 * USEC_PER_SEC) /* how long the last replies may take to be sent at the end */
#define MANAGER_STORE_RETRY_USEC USEC_PER_SEC
#define MANAGER_TREE_RETRY_USEC (100 * USEC_PER_MSEC)
#define MANAGER_EXTEND_USEC (30 * USEC_PER_SEC) /* for which the service manager is asked at a time */
#define MANAGER_EXTEND_AGAIN_USEC (5 * USEC_PER_SEC)
#define MANAGER_START_USEC (600 * USEC_PER_SEC) /* that reading the store may take */
#define MANAGER_TELL_USEC USEC_PER_SEC
#define MANAGER_PAUSE_USEC (5 * USEC_PER_SEC) /* before the end of the time to stop in, the run in hand is to pause */

/* Since when nobody needs the daemon; see manager_rest.c. */
typedef struct Rest {
	sd_event_source *source;
	uint64_t since_usec; /* 0: it is needed */
	uint64_t n_admitted; /* connections by then */
	bool armed;          /* the source is */
} Rest;

/* What the service manager's line was made of. */
typedef struct Told {
	const char *state;
	const Catalog *catalog; /* only compared, as `program` is */
	const CatalogProgram *program;
	bool rectifying;
	uint64_t waiting, parked;
} Told;

typedef struct Manager {
	Options options;
	Config config;
	sd_event *event;
	Poller poller;
	Listener listener;
	Metrics metrics;
	Users users;
	Clients clients;
	Queue queue;
	Trace trace;
	Promises promises;
	Outcomes outcomes;
	Crew crew;
	Parking parking;
	Recovery recovery;
	Store store;
	Calls calls;
	Intake intake;
	Reload reload;
	Watch ledger_watch, recorder_watch; /* what their threads have done */
	sd_event_source *clock;             /* ticks, or pulses, or is off */
	sd_event_source *later;             /* what was left for the next turn of the loop */
	sd_event_source *idle;              /* when there is nothing else to do */
	uint64_t period_usec;               /* of the clock; 0: it is off */
	bool ticked;                        /* this turn is the clock's */
	unsigned lingered;                  /* ticks without anything to do */
	uint64_t pulsed_usec;               /* when the last pulse was */
	bool opened;                        /* the state directory is ours, and recovered */
	bool pausing;                       /* the time to stop in runs short */
	uint64_t open_again_usec;
	bool stopping;
	uint64_t stop_usec;     /* since when */
	uint64_t ended_usec;    /* since when only replies are left to be sent; 0: not yet */
	uint64_t extended_usec; /* when the service manager was last asked for time; 0: not yet */
	Rest rest;
	Told told; /* the service manager, last */
	char told_text[NOTIFY_STATUS_MAX];
	uint64_t told_usec;
	bool tell_due; /* there may be something else to be told */
} Manager;

/** \brief 0, or the negative errno that keeps the daemon from running; it is logged. */
int manager_init(Manager *manager, const Options *options);
/** \brief Serves until it is told to stop. */
int manager_run(Manager *manager);
void manager_done(Manager *manager);
