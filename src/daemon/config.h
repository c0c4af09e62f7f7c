/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of ryusod: section [Daemon] of ryuso.conf. Read once at start. What a file says wrongly is reported and
 * leaves the default in place: a configuration never keeps the daemon from running. Times are microseconds, sizes
 * bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

typedef enum TraceLevel {
	TRACE_HOOKS,    /* every run, hook and rectifier */
	TRACE_RUNS,     /* every run; hooks that did not end ok, and rectifiers */
	TRACE_FAILURES, /* runs and hooks that did not end well, and rectifiers */
	TRACE_LEVEL_MAX,
} TraceLevel;

typedef enum OnParked {
	ON_PARKED_CONTINUE,
	ON_PARKED_HOLD, /* no run begins while one is parked */
	ON_PARKED_MAX,
} OnParked;

typedef struct Config {
	char *module; /* owned; NULL: see module_find() */
	TraceLevel trace;
	uint64_t max_request_size;
	uint64_t max_depth;
	uint64_t max_connections;
	uint64_t max_connections_per_user;
	uint64_t queue_length;
	uint64_t request_timeout;
	uint64_t reply_timeout;
	uint64_t runs_per_worker; /* 0: a worker is never replaced for its age */
	uint64_t module_timeout;
	uint64_t stop_timeout;
	uint64_t worker_memory; /* 0: no limit */
	uint64_t recorder_size;
	uint64_t max_pool_size;
	uint64_t max_notes_size;
	uint64_t max_rectified_size;
	OnParked on_parked;
	uint64_t keep_runs, keep_runs_time; /* 0: no bound; so for replies */
	uint64_t keep_replies, keep_replies_time;
} Config;

void config_init(Config *config);
void config_done(Config *config);
#define _cleanup_config_ _cleanup_(config_done)

/** \brief Says what is wrong with one line; what the setting is now stands in the text. */
typedef void (*ConfigComplain)(void *context, const char *text);

/** \brief Reads \p path over what is in \p config. -ENOENT and other errno where it cannot be read. */
int config_read(Config *config, const char *path, ConfigComplain complain, void *context);
/** \brief One setting. -ENOENT: there is none of that name; -EINVAL: no such value; -ERANGE: outside its limits. */
int config_set(Config *config, const char *name, const char *value);
/** \brief "expected a size from 1K to 64M", for what config_set() refused; NULL where there is no such setting. */
char *config_expected(const char *name);
