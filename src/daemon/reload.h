/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings are read again, and the module is opened again, while runs go on. All or nothing: only when every file
 * holds, and a worker has found that the module can be used, does anything change, in one moment; else all stays as it
 * was, and whoever asked, and the journal, learn why. Where no module is in use, there is nothing to keep: the settings
 * count at once, whatever comes of the module. */
#pragma once

#include "daemon/client.h"
#include "daemon/config_load.h"
#include "daemon/intake.h"

typedef struct ReloadSetup {
	ConfigSetup files;
	Config *config; /* in use by all parts of the daemon */
	Clients *clients;
	Crew *crew;
	Intake *intake;
	Calls *calls;
	Promises *promises;
	Trace *trace;
	void (*on_changed)(void *context); /* other settings count: for what keeps something of them */
	void *context;
} ReloadSetup;

/** \brief What a reload has changed. Borrowed while whoever waits is told. */
typedef struct ReloadReport {
	bool changed[CONFIG_SETTINGS_MAX]; /* settings that count now, by their numbers */
	bool waiting[CONFIG_SETTINGS_MAX]; /* that count from the next start on */
	bool other_module;
	Refit refit;
} ReloadReport;

/** \brief \p error NULL: it is done. */
typedef void (*ReloadDone)(void *context, const ReloadReport *report, const Error *error);

typedef struct ReloadWaiter ReloadWaiter;
TAILQ_HEAD(ReloadWaiters, ReloadWaiter);

typedef struct Reload {
	ReloadSetup setup;
	struct ReloadWaiters now, later; /* owned; of the reload under way, and of one after it */
	bool under_way, again;
	Config next; /* owned; while it is under way */
	ReloadReport report;
} Reload;

void reload_init(Reload *reload, const ReloadSetup *setup);
/** \brief After the crew is done. Nobody is told any more. */
void reload_done(Reload *reload);
/** \brief Begins a reload, or, while one is under way, has another one follow it. \p done (NULL: nobody waits) may be
 * called before this returns. -ENOMEM: nothing was begun. */
int reload_begin(Reload *reload, ReloadDone done, void *context);
