/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has happened since the daemon was started, in numbers that only grow; the call `metrics` shows them. Programs and
 * hooks keep their place here by name for as long as the daemon lives, whichever modules come and go: a place is looked
 * up once, when a module becomes known (catalog_count()), and a bump is one addition. Main thread only. */
#pragma once

#include "base/error.h"
#include "run/walk.h"
#include "spec/names.h"
#include "spec/spec.h"

#define METRICS_NAMES_MAX SPEC_HOOKS_MAX /* programs, and hooks, that have a place of their own */
#define METRICS_OTHER "(other)"          /* the name of the place of all beyond */

typedef enum MetricsPhase {
	METRICS_HOOK,
	METRICS_RECTIFIER,
	METRICS_PHASE_MAX,
} MetricsPhase;

typedef struct Metrics Metrics;

typedef struct MetricsProgram {
	char name[SPEC_NAME_MAX + 1];
	Metrics *metrics;
	uint64_t ended[WALK_STATUS_MAX];
	uint64_t refused;
} MetricsProgram;

typedef struct MetricsHook {
	char name[SPEC_NAME_MAX + 1];
	uint64_t calls[METRICS_PHASE_MAX][OUTCOME_KIND_MAX];
	uint64_t usec[METRICS_PHASE_MAX]; /* of all of them */
} MetricsHook;

struct Metrics {
	MetricsProgram **programs; /* owned, as they are; by the number of their name; never moved */
	MetricsHook **hooks;
	Names program_names, hook_names;
	MetricsProgram other_programs;
	MetricsHook other_hooks;
	uint64_t refusals[ERROR_CODE_MAX]; /* of requests and calls */
	uint64_t started_usec;             /* wall clock */
};

void metrics_init(Metrics *metrics);
void metrics_done(Metrics *metrics);
/** \brief The place of that name, a new one where it has none; NULL: out of memory. */
MetricsProgram *metrics_program(Metrics *metrics, const char *name);
MetricsHook *metrics_hook(Metrics *metrics, const char *name);

/* Each takes NULL for what has no place. */

static inline void metrics_ended(MetricsProgram *program, WalkStatus status)
{
	if (program)
		program->ended[status]++;
}

static inline void metrics_refused(MetricsProgram *program)
{
	if (program)
		program->refused++;
}

static inline void metrics_called(MetricsHook *hook, MetricsPhase phase, OutcomeKind outcome, uint64_t usec)
{
	if (!hook)
		return;
	hook->calls[phase][outcome]++;
	hook->usec[phase] += usec;
}

static inline void metrics_refusal(Metrics *metrics, ErrorCode code)
{
	if (metrics)
		metrics->refusals[code]++;
}
