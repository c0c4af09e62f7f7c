/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/history.h"

#include <errno.h>
#include <string.h>

#include "daemon/follow.h"
#include "daemon/stored_reply.h"

const char *const history_statuses[HISTORY_CLASS_MAX] = {
	[HISTORY_RUNNING] = "running", [HISTORY_RECTIFYING] = "rectifying", [HISTORY_QUEUED] = "queued",
	[HISTORY_PARKED] = "parked",   [HISTORY_SUCCEEDED] = "succeeded",   [HISTORY_RECTIFIED] = "rectified",
	[HISTORY_SETTLED] = "settled", [HISTORY_REFUSED] = "refused",
};

static bool wants(const History *history, const char *program, uint32_t uid, uint64_t usec)
{
	return (!history->program || (program && strcmp(history->program, program) == 0)) &&
	       (!history->has_uid || history->uid == uid) && usec >= history->since_usec;
}

/* ---- in memory ---- */

static void tell_call(HistoryEntry *told, const Run *run)
{
	if (run->state != RUN_BEGUN || run->call.attempt == 0)
		return;
	told->step = run->call.step;
	told->hook = run_hook_name(run, run->call.op);
}

static int add_run(History *history, const Run *run, RunPlace place, unsigned classes)
{
	_cleanup_json_ struct json_object *reply = NULL;
	bool ended = place == PLACE_OUTCOMES && run->answered;
	HistoryEntry told = {
		.run = &run->id,
		.status = calls_state(run, place),
		.program = run->program->spec->name,
		.request_id = run->request_id,
		.uid = run->peer.uid,
		.pid = (uint32_t)run->peer.pid,
		.submitted_usec = run->submitted_usec ? run->submitted_usec : run->received_usec,
		.begun_usec = run->begun_realtime_usec,
		.ended_usec = ended ? run->ended_realtime_usec : 0,
		.steps = run->program->plan->n_steps,
		.error = ended ? run->error : ERROR_NONE,
		.step = ended ? run->error_step : 0,
	};
	unsigned class = 0;

	while (class < HISTORY_CLASS_MAX && strcmp(history_statuses[class], told.status) != 0)
		class ++;
	if (!(HISTORY_BIT(class) & classes & history->classes) ||
	    !wants(history, told.program, told.uid,
		   MAX(MAX(told.submitted_usec, told.begun_usec), run->ended_realtime_usec)))
		return 0;
	tell_call(&told, run);
	if (ended && run->error != ERROR_NONE && run->reply.size <= HISTORY_REPLY_MAX) {
		reply = stored_reply_read(run->reply.data, run->reply.size);
		told.reply = reply;
		history->n_replies += run->reply.size;
	}
	return history_add(history, &told);
}

static int add_list(History *history, const struct RunList *list, RunPlace place, unsigned classes)
{
	const Run *run;
	int r = 0;

	TAILQ_FOREACH(run, list, entry)
	{
		if (r == 0)
			r = add_run(history, run, place, classes);
	}
	return r;
}

static int add_newest_first(History *history, const struct RunList *list, RunPlace place, unsigned classes)
{
	const Run *run;
	int r = 0;

	TAILQ_FOREACH_REVERSE(run, list, RunList, entry)
	{
		if (r == 0)
			r = add_run(history, run, place, classes);
	}
	return r;
}

static int add_queue(History *history, unsigned classes)
{
	const Queue *queue = history->calls->crew->setup.queue;
	_cleanup_free_ Run **order = queue_order(queue);
	int r = order ? 0 : -ENOMEM;

	for (size_t i = 0; i < queue->n && r == 0; i++)
		r = add_run(history, order[i], PLACE_QUEUE, classes);
	return r;
}

/* What runs or waits, in that order. */
static int add_unfinished(History *history, unsigned classes)
{
	const Crew *crew = history->calls->crew;
	int r;

	r = add_list(history, &crew->setup.outcomes->ended, PLACE_OUTCOMES, classes);
	if (r == 0)
		r = add_list(history, &crew->ordered, PLACE_CREW, classes);
	if (r == 0)
		r = add_queue(history, classes);
	if (r == 0)
		r = add_list(history, &history->calls->parking->promises->promising, PLACE_PROMISES, classes);
	return r;
}

/* ---- in the ledger ---- */

/* A program's steps are known of the module in use alone: others are not fetched for this. */
static uint32_t count_steps(const Calls *calls, const LedgerRun *run)
{
	const Catalog *catalog = calls->crew->catalog;
	const CatalogProgram *program;

	if (!catalog || !run->program || !id_equal(&catalog->identity, &run->module))
		return 0;
	program = catalog_program(catalog, run->program);
	return program ? program->plan->n_steps : 0;
}

/* LedgerOnRun */
static int on_stored(void *context, const LedgerRun *run)
{
	_cleanup_json_ struct json_object *reply = NULL;
	History *history = context;
	HistoryEntry told = {
		.run = &run->run,
		.status = ledger_run_status(run),
		.program = run->program,
		.request_id = run->request_id,
		.uid = run->uid,
		.pid = run->pid,
		.submitted_usec = run->submitted_usec,
		.begun_usec = run->begun_usec,
		.ended_usec = run->ended_usec,
		.step = run->step,
		.steps = count_steps(history->calls, run),
		.error = run->error,
	};
	Run *known;

	/* what is in memory was listed from there */
	if (ledger_state_ended(run->state) ? outcomes_find(history->calls->crew->setup.outcomes, &run->run) != NULL
					   : calls_find(history->calls, &run->run, &known) != PLACE_NONE)
		return 0;
	reply = stored_reply_read(run->reply, run->reply_size);
	told.reply = reply;
	history->n_replies += run->reply_size;
	return history_add(history, &told);
}

static const LedgerState states[HISTORY_CLASS_MAX] = {
	[HISTORY_RUNNING] = LEDGER_RESUMED,     [HISTORY_RECTIFYING] = LEDGER_STATE_MAX,
	[HISTORY_QUEUED] = LEDGER_QUEUED,       [HISTORY_PARKED] = LEDGER_PARKED,
	[HISTORY_SUCCEEDED] = LEDGER_SUCCEEDED, [HISTORY_RECTIFIED] = LEDGER_RECTIFIED,
	[HISTORY_SETTLED] = LEDGER_SETTLED,     [HISTORY_REFUSED] = LEDGER_REFUSED,
};

static int add_stored(History *history, unsigned classes)
{
	Ledger *ledger = history->calls->parking->promises->ledger;
	bool ended = !(classes & HISTORY_UNFINISHED);
	LedgerFilter filter = {
		.program = history->program,
		.has_uid = history->has_uid,
		.uid = history->uid,
		.since_usec = history->since_usec,
		.replies = true,
		.reply_max = HISTORY_REPLY_MAX,
		.look_max = ended ? HISTORY_LOOK_MAX : 0,
	};
	int r;

	for (unsigned i = 0; i < HISTORY_CLASS_MAX; i++)
		if (HISTORY_BIT(i) & classes & history->classes && states[i] != LEDGER_STATE_MAX)
			filter.states |= LEDGER_BIT(states[i]);
	if (filter.states == 0)
		return 0;
	r = ledger_list(ledger, &filter, on_stored, history);
	if (r == 0 && ended && ledger_list_cuts(ledger, &filter))
		history->more = true;
	return r == -ENOENT ? 0 : r;
}

/* What ended within one moment reached the ledger in another order: nearly sorted. From \p first on. */
static void sort_ended(History *history, size_t first)
{
	for (size_t i = first + 1; i < history->n; i++) {
		HistoryItem item = history->items[i];
		size_t k = i;

		for (; k > first && history->items[k - 1].ended_usec < item.ended_usec; k--)
			history->items[k] = history->items[k - 1];
		history->items[k] = item;
	}
}

int history_fill(History *history)
{
	const struct RunList *storing = &history->calls->crew->setup.outcomes->storing;
	size_t first;
	int r;

	r = add_unfinished(history, HISTORY_BIT(HISTORY_RUNNING) | HISTORY_BIT(HISTORY_RECTIFYING));
	if (r == 0)
		r = add_stored(history, HISTORY_BIT(HISTORY_RUNNING));
	if (r == 0)
		r = add_unfinished(history, HISTORY_BIT(HISTORY_QUEUED));
	if (r == 0)
		r = add_stored(history, HISTORY_BIT(HISTORY_QUEUED));
	if (r == 0)
		r = add_newest_first(history, storing, PLACE_OUTCOMES, HISTORY_BIT(HISTORY_PARKED));
	if (r == 0)
		r = add_stored(history, HISTORY_BIT(HISTORY_PARKED));
	first = history->n;
	if (r == 0)
		r = add_newest_first(history, storing, PLACE_OUTCOMES, HISTORY_ALL & ~HISTORY_UNFINISHED);
	if (r == 0)
		r = add_stored(history, HISTORY_ALL & ~HISTORY_UNFINISHED);
	sort_ended(history, first);
	return MIN(r, 0);
}
