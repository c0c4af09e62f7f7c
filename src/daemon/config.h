/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of ryusod: one table of them (config.c), and their values. How files become values: config_load.h. Times
 * are microseconds, sizes bytes; of a number that may be without limit, 0 is none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define CONFIG_SETTINGS_MAX 64U

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
	uint64_t max_values;
	uint64_t max_connections;
	uint64_t max_connections_per_user;
	uint64_t queue_length;
	uint64_t max_queued_per_user;
	uint64_t max_bytes_per_user; /* see users_bytes_max() */
	uint64_t max_unread_replies;
	uint64_t request_timeout;
	uint64_t reply_timeout;
	uint64_t runs_per_worker; /* 0: a worker is never replaced for its age */
	uint64_t module_timeout;
	uint64_t stop_timeout;
	uint64_t stop_timeout_rectifying;
	uint64_t idle_exit;     /* 0: it stays */
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

/* Of a setting, by its number. */
size_t config_count(void);
const char *config_name(size_t index);
/** \brief The number of a setting; CONFIG_SETTINGS_MAX: there is none of that name. */
size_t config_index(const char *name);
/** \brief Its value as a file would say it; "" for a text that is not set. To be freed; NULL where memory is short. */
char *config_text(const Config *config, size_t index);
bool config_same(const Config *a, const Config *b, size_t index);
/** \brief It keeps the value that it had at the start, whatever is read later. */
bool config_lasts(size_t index);
/** \brief What lasts is in \p config what it was in \p before. */
void config_keep_lasting(Config *config, const Config *before);

/** \brief One setting; an empty value is its default. -ENOENT: there is none of that name; -EINVAL: no such value;
 * -ERANGE: outside its limits. */
int config_set(Config *config, const char *name, const char *value);
/** \brief "expected a size from 1K to 64M", for what config_set() refused; NULL where there is no such setting. */
char *config_expected(const char *name);
/** \brief The setting that \p name was perhaps meant to be, or NULL. */
const char *config_closest(const char *name);
