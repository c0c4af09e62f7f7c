/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void metrics_init(Metrics *metrics)
{
	*metrics = (Metrics){ .started_usec = clock_realtime() };
	strcpy(metrics->other_programs.name, METRICS_OTHER);
	metrics->other_programs.metrics = metrics;
	strcpy(metrics->other_hooks.name, METRICS_OTHER);
}

void metrics_done(Metrics *metrics)
{
	for (uint32_t i = 0; i < metrics->program_names.n; i++)
		free(metrics->programs[i]);
	for (uint32_t i = 0; i < metrics->hook_names.n; i++)
		free(metrics->hooks[i]);
	free(metrics->programs);
	free(metrics->hooks);
	names_done(&metrics->program_names);
	names_done(&metrics->hook_names);
	*metrics = (Metrics){ 0 };
}

/* Room for one more behind `n`: NULL, or the list, which may have moved. */
static void *list_grow(void *list, uint32_t n, size_t size)
{
	return n & (n - 1) ? list : reallocarray(list, n > 0 ? 2 * (size_t)n : 1, size);
}

MetricsProgram *metrics_program(Metrics *metrics, const char *name)
{
	uint32_t number = names_find(&metrics->program_names, name);
	MetricsProgram **list, *program;

	if (number != NAMES_NONE)
		return metrics->programs[number];
	if (metrics->program_names.n >= METRICS_NAMES_MAX || strlen(name) > SPEC_NAME_MAX)
		return &metrics->other_programs;
	list = list_grow(metrics->programs, metrics->program_names.n, sizeof(MetricsProgram *));
	if (!list)
		return NULL;
	metrics->programs = list;
	program = calloc(1, sizeof(*program));
	if (!program)
		return NULL;
	strcpy(program->name, name);
	program->metrics = metrics;
	if (names_add(&metrics->program_names, program->name, &number) < 0) {
		free(program);
		return NULL;
	}
	return metrics->programs[number] = program;
}

MetricsHook *metrics_hook(Metrics *metrics, const char *name)
{
	uint32_t number = names_find(&metrics->hook_names, name);
	MetricsHook **list, *hook;

	if (number != NAMES_NONE)
		return metrics->hooks[number];
	if (metrics->hook_names.n >= METRICS_NAMES_MAX || strlen(name) > SPEC_NAME_MAX)
		return &metrics->other_hooks;
	list = list_grow(metrics->hooks, metrics->hook_names.n, sizeof(MetricsHook *));
	if (!list)
		return NULL;
	metrics->hooks = list;
	hook = calloc(1, sizeof(*hook));
	if (!hook)
		return NULL;
	strcpy(hook->name, name);
	if (names_add(&metrics->hook_names, hook->name, &number) < 0) {
		free(hook);
		return NULL;
	}
	return metrics->hooks[number] = hook;
}
