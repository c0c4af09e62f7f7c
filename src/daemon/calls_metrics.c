/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The call `metrics`: figures with names, types and labels in the manner of Prometheus. Whoever may connect sees those of
 * the whole daemon, and those of programs that they may run; operators see all programs, and all hooks. */
#include <errno.h>

#include "base/log.h"
#include "daemon/calls_private.h"

#define LABELS_MAX 4U

typedef struct Label {
	const char *name; /* NULL: no more */
	const char *value;
} Label;

typedef struct Labels {
	Label items[LABELS_MAX];
} Labels;

typedef struct Metric {
	const char *name;
	const char *type; /* "counter": it only grows, until the daemon ends; "gauge" */
	const char *help;
	/* A new list of samples, or NULL. */
	struct json_object *(*samples)(Ask *ask, struct json_object *list);
	bool operators_only;
} Metric;

static struct json_object *add_value(struct json_object *list, const Labels *labels, struct json_object *value)
{
	Members members, sample;

	members_begin(&members);
	for (size_t i = 0; i < LABELS_MAX && labels->items[i].name; i++)
		members_text(&members, labels->items[i].name, labels->items[i].value);
	members_begin(&sample);
	members_add(&sample, "labels", members_end(&members));
	members_add(&sample, "value", value);
	return members_append(list, members_end(&sample));
}

static struct json_object *add_count(struct json_object *list, const Labels *labels, uint64_t count)
{
	return add_value(list, labels, json_object_new_int64((int64_t)MIN(count, (uint64_t)INT64_MAX)));
}

static struct json_object *add_seconds(struct json_object *list, const Labels *labels, uint64_t usec)
{
	return add_value(list, labels, json_object_new_double((double)usec / USEC_PER_SEC));
}

static struct json_object *one(struct json_object *list, uint64_t count)
{
	return add_count(list, &(Labels){ 0 }, count);
}

/* ---- of programs and hooks ---- */

/* A program that a user may not run does not exist for that user. */
static bool may_see_program(Ask *ask, const char *name)
{
	const Catalog *catalog = ask->calls->crew->catalog;
	const CatalogProgram *program = catalog ? catalog_program(catalog, name) : NULL;

	return ask_is_operator(ask) ||
	       (program && access_permits(&program->access, &ask->client->peer, ask->client->watch.fd));
}

static struct json_object *add_program(Ask *ask, struct json_object *list, const MetricsProgram *program)
{
	Labels labels = { { { "program", program->name }, { "status", "refused" } } };

	if (!may_see_program(ask, program->name))
		return list;
	list = add_count(list, &labels, program->refused);
	for (unsigned i = WALK_SUCCEEDED; i < WALK_STATUS_MAX; i++) {
		labels.items[1].value = walk_status_name((WalkStatus)i);
		list = add_count(list, &labels, program->ended[i]);
	}
	return list;
}

static struct json_object *runs(Ask *ask, struct json_object *list)
{
	const Metrics *metrics = ask->calls->metrics;

	for (uint32_t i = 0; i < metrics->program_names.n; i++)
		list = add_program(ask, list, metrics->programs[i]);
	if (metrics->program_names.n >= METRICS_NAMES_MAX)
		list = add_program(ask, list, &metrics->other_programs);
	return list;
}

static const char *const phases[METRICS_PHASE_MAX] = { [METRICS_HOOK] = "hook", [METRICS_RECTIFIER] = "rectifier" };

static uint64_t count_calls(const MetricsHook *hook, MetricsPhase phase)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < OUTCOME_KIND_MAX; i++)
		n += hook->calls[phase][i];
	return n;
}

static struct json_object *add_calls(struct json_object *list, const MetricsHook *hook, MetricsPhase phase)
{
	for (unsigned i = 0; i < OUTCOME_KIND_MAX; i++) {
		const Labels labels = { { { "hook", hook->name },
					  { "phase", phases[phase] },
					  { "outcome", outcome_name((OutcomeKind)i) } } };

		list = add_count(list, &labels, hook->calls[phase][i]);
	}
	return list;
}

static struct json_object *add_time(struct json_object *list, const MetricsHook *hook, MetricsPhase phase)
{
	return add_seconds(list, &(Labels){ { { "hook", hook->name }, { "phase", phases[phase] } } },
			   hook->usec[phase]);
}

/* Of hooks that were called: a spec may have many that hardly ever are. */
static struct json_object *each_hook(const Metrics *metrics, struct json_object *list,
				     struct json_object *(*add)(struct json_object *list, const MetricsHook *hook,
								MetricsPhase phase))
{
	for (uint32_t i = 0; i <= metrics->hook_names.n; i++) {
		const MetricsHook *hook = i < metrics->hook_names.n ? metrics->hooks[i] : &metrics->other_hooks;

		for (unsigned phase = 0; phase < METRICS_PHASE_MAX; phase++)
			if (count_calls(hook, (MetricsPhase)phase) > 0)
				list = add(list, hook, (MetricsPhase)phase);
	}
	return list;
}

static struct json_object *hook_calls(Ask *ask, struct json_object *list)
{
	return each_hook(ask->calls->metrics, list, add_calls);
}

static struct json_object *hook_seconds(Ask *ask, struct json_object *list)
{
	return each_hook(ask->calls->metrics, list, add_time);
}

/* ---- of the whole daemon ---- */

static struct json_object *info(Ask *ask, struct json_object *list)
{
	const Catalog *catalog = ask->calls->crew->catalog;
	const Labels labels = { { { "instance", ask->calls->instance },
				  { "version", PACKAGE_VERSION },
				  { "module", catalog ? catalog->spec->module : "" },
				  { "build_id", catalog ? catalog->build_id : "" } } };

	return add_count(list, &labels, 1);
}

static struct json_object *start_time(Ask *ask, struct json_object *list)
{
	return add_seconds(list, &(Labels){ 0 }, ask->calls->metrics->started_usec);
}

static struct json_object *refusals(Ask *ask, struct json_object *list)
{
	for (unsigned i = 0; i < ERROR_CODE_MAX; i++)
		if (ask->calls->metrics->refusals[i] > 0)
			list = add_count(list, &(Labels){ { { "error", error_name((ErrorCode)i) } } },
					 ask->calls->metrics->refusals[i]);
	return list;
}

static struct json_object *queued(Ask *ask, struct json_object *list)
{
	const Crew *crew = ask->calls->crew;

	return one(list, crew->setup.queue->n + crew->n_ordered - (crew->current ? 1 : 0));
}

static struct json_object *running(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->crew->current ? 1 : 0);
}

static struct json_object *parked(Ask *ask, struct json_object *list)
{
	uint64_t n;

	/* where it is not known there is no sample */
	return calls_count_parked(ask->calls, &n) < 0 ? list : one(list, n);
}

static struct json_object *connections(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->clients->n);
}

static struct json_object *connections_accepted(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->clients->n_admitted);
}

static struct json_object *workers_started(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->crew->n_started);
}

static struct json_object *worker_failures(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->crew->n_failed);
}

static struct json_object *records(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->crew->setup.outcomes->n_records);
}

static struct json_object *syncs(Ask *ask, struct json_object *list)
{
	const Crew *crew = ask->calls->crew;

	list = add_count(list, &(Labels){ { { "by", "daemon" } } }, crew->recorder.n_syncs);
	return add_count(list, &(Labels){ { { "by", "worker" } } }, crew->setup.outcomes->n_syncs);
}

static struct json_object *renewals(Ask *ask, struct json_object *list)
{
	return one(list, ask->calls->crew->recorder.n_renewals);
}

/* Where it cannot be looked into, nothing is said of it. */
static struct json_object *commits(Ask *ask, struct json_object *list)
{
	Ledger *ledger = ask->calls->parking->promises->ledger;
	LedgerCounts counts = { 0 };

	return ledger && ledger_counts(ledger, &counts) >= 0 ? one(list, counts.commits) : list;
}

static struct json_object *lost(Ask *ask, struct json_object *list)
{
	(void)ask;
	return one(list, log_lost());
}

/* clang-format off */
static const Metric kinds[] = {
	{ "ryuso_info", "gauge", "Always 1; what is running, as labels.", info, false },
	{ "ryuso_start_time_seconds", "gauge", "When the daemon was started, and every counter was 0: seconds since 1970.",
	  start_time, false },
	{ "ryuso_runs_total", "counter", "Runs by program and by the status that they were answered with.", runs, false },
	{ "ryuso_hook_calls_total", "counter", "Attempts of hooks and rectifiers, by outcome.", hook_calls, true },
	{ "ryuso_hook_seconds_total", "counter", "Time spent in hooks and rectifiers.", hook_seconds, true },
	{ "ryuso_runs_queued", "gauge", "Runs that wait to begin.", queued, false },
	{ "ryuso_runs_running", "gauge", "Runs that have begun and not ended: 0 or 1.", running, false },
	{ "ryuso_runs_parked", "gauge", "Runs that wait for an operator's decision.", parked, false },
	{ "ryuso_refusals_total", "counter", "Requests and calls that were refused, by error.", refusals, false },
	{ "ryuso_connections", "gauge", "Connections that are open.", connections, false },
	{ "ryuso_connections_total", "counter", "Connections that were accepted and not turned away.", connections_accepted,
	  false },
	{ "ryuso_workers_started_total", "counter", "Workers that were started.", workers_started, false },
	{ "ryuso_worker_failures_total", "counter", "Times that no worker could be had, and the next try was put off.",
	  worker_failures, false },
	{ "ryuso_records_total", "counter", "Records that runs which have ended have written.", records, false },
	{ "ryuso_syncs_total", "counter", "Syncs of the recorder: the daemon's, and the workers' for runs that have ended.",
	  syncs, false },
	{ "ryuso_recorder_renewals_total", "counter", "New recorders that took the place of one in use.", renewals, false },
	{ "ryuso_ledger_commits_total", "counter", "Commits of the ledger.", commits, false },
	{ "ryuso_log_lost_total", "counter", "Entries for the journal that were lost.", lost, false },
};
/* clang-format on */

static struct json_object *describe_metric(Ask *ask, const Metric *kind)
{
	Members members;

	members_begin(&members);
	members_text(&members, "name", kind->name);
	members_text(&members, "type", kind->type);
	members_text(&members, "help", kind->help);
	members_add(&members, "samples", kind->samples(ask, json_object_new_array()));
	return members_end(&members);
}

int call_metrics(Ask *ask, struct json_object **ret, Error *error)
{
	struct json_object *list = json_object_new_array();
	Members result;

	(void)error;
	crew_look(ask->calls->crew);
	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		if (list && (!kinds[i].operators_only || ask_is_operator(ask)))
			list = members_append(list, describe_metric(ask, &kinds[i]));
	members_begin(&result);
	members_add(&result, "metrics", list);
	return ask_result(&result, ret);
}
