/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/io.h"

static const char *const state_names[LEDGER_STATE_MAX] = {
	[LEDGER_QUEUED] = "queued",       [LEDGER_PARKED] = "parked",       [LEDGER_RESUMED] = "resumed",
	[LEDGER_SUCCEEDED] = "succeeded", [LEDGER_RECTIFIED] = "rectified", [LEDGER_SETTLED] = "settled",
	[LEDGER_REFUSED] = "refused",
};

const char *ledger_state_name(LedgerState state)
{
	return state_names[state];
}

static const char *const verb_names[LEDGER_VERB_MAX] = {
	[LEDGER_RETRY] = "retry",
	[LEDGER_SKIP] = "skip",
	[LEDGER_CONFIRM] = "confirm",
};

const char *ledger_verb_name(LedgerVerb verb)
{
	return verb_names[verb];
}

int ledger_fd(const Ledger *ledger)
{
	return ledger->fd;
}

size_t ledger_under_way(const Ledger *ledger)
{
	return ledger->n_works;
}

LedgerPlace ledger_place(const Ledger *ledger)
{
	return ledger->place;
}

uint64_t ledger_moved_usec(const Ledger *ledger)
{
	return ledger->here.moved_usec;
}

const char *ledger_problem(const Ledger *ledger)
{
	const char *problem;

	pthread_mutex_lock((pthread_mutex_t *)&ledger->mutex);
	problem = ledger->problem; /* set once: it stays where it is */
	pthread_mutex_unlock((pthread_mutex_t *)&ledger->mutex);
	return problem;
}

void ledger_disown(Ledger *ledger, const void *context)
{
	Work *work;

	for (work = TAILQ_FIRST(&ledger->works); work; work = TAILQ_NEXT(work, entry))
		if (work->context == context)
			work->done = NULL;
}

static void ledger_deliver(Ledger *ledger, Work *work)
{
	if (work->recent)
		recents_remove(ledger, work);
	else
		works_remove(ledger, work);
	if (work->kind == WORK_ADOPT && work->result == 0)
		ledger->place = LEDGER_SAME;
	if (work->done)
		work->done(work->context, work->result);
	free(work);
}

void ledger_dispatch(Ledger *ledger)
{
	struct WorkTurns finished = STAILQ_HEAD_INITIALIZER(finished);
	eventfd_t value;
	Work *work;

	pthread_mutex_lock(&ledger->mutex);
	(void)eventfd_read(ledger->fd, &value); /* fails only where it was not readable */
	STAILQ_CONCAT(&finished, &ledger->finished);
	pthread_mutex_unlock(&ledger->mutex);
	while ((work = STAILQ_FIRST(&finished))) {
		STAILQ_REMOVE_HEAD(&finished, turn);
		ledger_deliver(ledger, work);
	}
}

void ledger_wake(Ledger *ledger)
{
	if (ledger->checking)
		sqlite3_interrupt(ledger->writer.db);
	if (ledger->waiting)
		pthread_cond_signal(&ledger->wake);
}

static int ledger_queue(Ledger *ledger, Work *work)
{
	if (ledger->closing || ledger->n_works >= LEDGER_WORKS_MAX ||
	    ledger->n_bytes + work->size > LEDGER_WORKS_BYTES) {
		free(work);
		return ledger->closing ? -ESHUTDOWN : -ENOBUFS;
	}
	works_add(ledger, work);
	pthread_mutex_lock(&ledger->mutex);
	STAILQ_INSERT_TAIL(&ledger->todo, work, turn);
	ledger_wake(ledger);
	pthread_mutex_unlock(&ledger->mutex);
	return 0;
}

static int ledger_queue_run(Ledger *ledger, WorkKind kind, const LedgerRun *run, LedgerDone done, void *context)
{
	Work *work;
	int r;

	if (id_is_null(&run->run))
		return -EINVAL;
	r = work_new_run(kind, run, done, context, &work);
	return r < 0 ? r : ledger_queue(ledger, work);
}

int ledger_submit(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context)
{
	LedgerRun copy = *run;

	if (!run->program)
		return -EINVAL;
	copy.reply = NULL;
	copy.records = NULL;
	copy.begun_usec = copy.ended_usec = copy.records_size = 0;
	copy.error = ERROR_NONE;
	copy.step = 0;
	return ledger_queue_run(ledger, WORK_SUBMIT, &copy, done, context);
}

LedgerRun run_past(const LedgerRun *run, LedgerState state)
{
	LedgerRun copy = *run;

	copy.state = state;
	copy.arguments = NULL;
	copy.metadata = NULL;
	copy.arguments_size = 0;
	copy.has_arguments = false;
	return copy;
}

bool run_has_end(const LedgerRun *run)
{
	return ledger_state_ended(run->state) && run->state < LEDGER_STATE_MAX;
}

int ledger_finish(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context)
{
	LedgerRun copy = run_past(run, run->state);

	if (!run_has_end(run))
		return -EINVAL;
	copy.records = NULL;
	copy.records_size = 0;
	return ledger_queue_run(ledger, WORK_FINISH, &copy, done, context);
}

int ledger_park(Ledger *ledger, const LedgerRun *run, LedgerDone done, void *context)
{
	LedgerRun copy = run_past(run, LEDGER_PARKED);

	return run->records ? ledger_queue_run(ledger, WORK_PARK, &copy, done, context) : -EINVAL;
}

int ledger_resume(Ledger *ledger, const Id *run, LedgerDone done, void *context)
{
	const LedgerRun only = { .run = *run };

	return ledger_queue_run(ledger, WORK_RESUME, &only, done, context);
}

/* A work with one text behind it. */
static int work_new_text(WorkKind kind, const char *text, LedgerDone done, void *context, Work **ret, char **ret_text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	Work *work;
	int r;

	if (size > LEDGER_TEXT_MAX + 1)
		return -E2BIG;
	r = work_new(kind, size, done, context, &work);
	if (r < 0)
		return r;
	*ret = work;
	*ret_text = size > 0 ? memcpy(work + 1, text, size) : NULL;
	return 0;
}

int ledger_decide(Ledger *ledger, const LedgerDecision *decision, LedgerDone done, void *context)
{
	char *reason;
	Work *work;
	int r;

	if (decision->verb >= LEDGER_VERB_MAX)
		return -EINVAL;
	r = work_new_text(WORK_DECIDE, decision->reason, done, context, &work, &reason);
	if (r < 0)
		return r;
	work->decision = *decision;
	work->decision.reason = reason;
	return ledger_queue(ledger, work);
}

int ledger_hold(Ledger *ledger, const LedgerHold *hold, LedgerDone done, void *context)
{
	char *reason;
	Work *work;
	int r;

	r = work_new_text(WORK_HOLD, hold->reason, done, context, &work, &reason);
	if (r < 0)
		return r;
	work->hold = *hold;
	work->hold.reason = reason;
	return ledger_queue(ledger, work);
}

int ledger_forget(Ledger *ledger, const LedgerRetention *retention, uint64_t now_usec, LedgerDone done, void *context)
{
	Work *work;
	int r;

	r = work_new(WORK_FORGET, 0, done, context, &work);
	if (r < 0)
		return r;
	work->forget.retention = *retention;
	work->forget.now_usec = now_usec;
	return ledger_queue(ledger, work);
}

int ledger_adopt(Ledger *ledger, LedgerDone done, void *context)
{
	Work *work;
	int r;

	r = work_new(WORK_ADOPT, 0, done, context, &work);
	if (r < 0)
		return r;
	work->place = ledger->here;
	return ledger_queue(ledger, work);
}
