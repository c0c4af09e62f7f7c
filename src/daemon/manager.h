/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole daemon: owns every other part, the event loop, signals, the clock that looks at time-outs, the start and
 * the end. Everything runs in one thread; only the log has one of its own. */
#pragma once

#include "daemon/intake.h"
#include "daemon/listener.h"
#include "daemon/options.h"
#include "daemon/store.h"

#define MANAGER_TICK_USEC 5000ULL             /* while runs are with a worker */
#define MANAGER_PULSE_USEC 100000ULL          /* while something else is timed */
#define MANAGER_LINGER_TICKS 20U              /* so that a busy client does not set the clock for each request */
#define MANAGER_FLUSH_USEC (5 * USEC_PER_SEC) /* how long the last replies may take to be sent at the end */
#define MANAGER_STORE_RETRY_USEC USEC_PER_SEC

typedef struct Manager {
	Options options;
	Config config;
	sd_event *event;
	Poller poller;
	Listener listener;
	Clients clients;
	Queue queue;
	Trace trace;
	Crew crew;
	Store store;
	Calls calls;
	Intake intake;
	sd_event_source *clock; /* ticks, or pulses, or is off */
	sd_event_source *later; /* what was left for the next turn of the loop */
	sd_event_source *idle;  /* when there is nothing else to do */
	uint64_t period_usec;   /* of the clock; 0: it is off */
	unsigned lingered;      /* ticks without anything to do */
	uint64_t pulsed_usec;   /* when the last pulse was */
	bool opened;            /* the state directory is ours */
	uint64_t open_again_usec;
	bool stopping;
	uint64_t stop_usec;     /* since when */
	uint64_t ended_usec;    /* since when only replies are left to be sent; 0: not yet */
	const char *told_state; /* what the service manager was told last */
} Manager;

/** \brief 0, or the negative errno that keeps the daemon from running; it is logged. */
int manager_init(Manager *manager, const Options *options);
/** \brief Serves until it is told to stop. */
int manager_run(Manager *manager);
void manager_done(Manager *manager);
