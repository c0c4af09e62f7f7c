/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/outcomes.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/outcomes_private.h"

#define STORE_AGAIN_USEC USEC_PER_SEC

void outcomes_init(Outcomes *outcomes, Recorder *recorder, Promises *promises, Trace *trace)
{
	*outcomes = (Outcomes){ .recorder = recorder, .promises = promises, .trace = trace };
	TAILQ_INIT(&outcomes->ended);
	TAILQ_INIT(&outcomes->storing);
	TAILQ_INIT(&outcomes->lent);
}

static void list_free(Outcomes *outcomes, struct RunList *list)
{
	Run *run;

	while ((run = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, run, entry);
		if (run->keeper && outcomes->promises->ledger)
			ledger_disown(outcomes->promises->ledger, run);
		promises_leave(outcomes->promises, run);
		run_free(run);
	}
}

void outcomes_done(Outcomes *outcomes)
{
	list_free(outcomes, &outcomes->ended);
	list_free(outcomes, &outcomes->storing);
	list_free(outcomes, &outcomes->lent);
	outcomes->n_ended = outcomes->n_storing = 0;
}

static void outcomes_release(Outcomes *outcomes, Run *run)
{
	promises_leave(outcomes->promises, run);
	if (run->lent)
		TAILQ_INSERT_TAIL(&outcomes->lent, run, entry);
	else
		run_free(run);
}

void outcomes_free_lent(Outcomes *outcomes)
{
	Run *run;

	while ((run = TAILQ_FIRST(&outcomes->lent))) {
		TAILQ_REMOVE(&outcomes->lent, run, entry);
		run_free(run);
	}
}

/* Everybody learns of it, in the journal and on the wire. */
static void outcomes_tell(Outcomes *outcomes, Run *run, const RecordFinish *finish)
{
	trace_ended(outcomes->trace, run, finish);
	run_answer(run, finish->reply, finish->reply_size);
	run->answered = true;
	outcomes->counts[finish->status]++;
	metrics_ended(run->program->tally, finish->status);
	outcomes->n_records += finish->n_records;
	outcomes->n_syncs += finish->n_syncs;
	outcomes->last_records = finish->n_records;
	outcomes->last_syncs = finish->n_syncs;
	if (outcomes->on_ended)
		outcomes->on_ended(run, outcomes->context);
}

static void outcomes_stored(Outcomes *outcomes, Run *run, int r)
{
	TAILQ_REMOVE(&outcomes->storing, run, entry);
	outcomes->n_storing--;
	if (outcomes->complained)
		log_notice("outcomes of runs can be stored in the ledger again");
	outcomes->complained = false;
	if (r == 0 && run->status == WALK_PARKED && outcomes->on_parked)
		outcomes->on_parked(run, outcomes->context);
	outcomes_release(outcomes, run);
}

/* It stays in memory and in the recorder. A ledger that is damaged is not asked again. */
static void outcomes_not_stored(Outcomes *outcomes, Run *run, int r)
{
	bool again = r != -EUCLEAN && r != -ESHUTDOWN;

	run->store_failures++;
	if (again)
		outcomes->retry_at_usec = clock_monotonic() + STORE_AGAIN_USEC;
	if (outcomes->complained || r == -ESHUTDOWN)
		return;
	outcomes->complained = true;
	log_error("run %s of %s has ended; its outcome cannot be stored in the ledger: %s; it stays in the recorder%s",
		  run->id_text, run->program->spec->name, strerror(-r), again ? ", trying again every second" : "");
}

static void on_stored(void *context, int r)
{
	Run *run = context;
	Outcomes *outcomes = take_ptr(run->keeper);

	/* -EALREADY: the ledger has had it before; that counts */
	if (r == 0 || r == -EALREADY)
		outcomes_stored(outcomes, run, r);
	else
		outcomes_not_stored(outcomes, run, r);
}

static int outcomes_store(Outcomes *outcomes, Run *run)
{
	int r;

	run->keeper = outcomes;
	r = promises_store(outcomes->promises, run, on_stored, run);
	if (r >= 0)
		return r;
	run->keeper = NULL;
	outcomes_not_stored(outcomes, run, r);
	return r;
}

static void outcomes_store_again(Outcomes *outcomes)
{
	Run *run;
	int r = 0;

	outcomes->retry_at_usec = 0;
	TAILQ_FOREACH(run, &outcomes->storing, entry)
	{
		if (!run->keeper && r >= 0)
			r = outcomes_store(outcomes, run);
	}
}

static void outcomes_settle(Outcomes *outcomes, Run *run)
{
	const RecordFinish finish = {
		.run = run->id,
		.status = run->status,
		.error = run->error,
		.error_step = run->error_step,
		.usec = run->ended_usec,
		.n_records = run->n_records,
		.n_syncs = run->n_syncs,
		.reply = (const char *)run->reply.data,
		.reply_size = run->reply.size,
	};

	outcomes_tell(outcomes, run, &finish);
	if (!promises_keeps(run)) {
		promises_remember(outcomes->promises, run, finish.reply, finish.reply_size);
		outcomes_release(outcomes, run);
		return;
	}
	run->state = RUN_STORING;
	TAILQ_INSERT_TAIL(&outcomes->storing, run, entry);
	outcomes->n_storing++;
	outcomes_store(outcomes, run);
}

static void take_finish(Run *run, const RecordFinish *finish, size_t end)
{
	run->state = RUN_ENDED;
	run->status = finish->status;
	run->error = finish->error;
	run->error_step = finish->error_step;
	run->end = end;
	run->ended_usec = finish->usec;
	run->ended_realtime_usec = clock_realtime();
	run->n_records = finish->n_records;
	run->n_syncs = finish->n_syncs;
	run->call.in_hand = false;
}

/* What nobody can say any more, the next start finds damaged. */
static void outcomes_lose(Outcomes *outcomes, Run *run)
{
	run_disappoint(run);
	outcomes_release(outcomes, run);
}

void outcomes_add(Outcomes *outcomes, Run *run, const RecordFinish *finish, size_t end)
{
	bool complete;

	take_finish(run, finish, end);
	if (run->process && !promises_keeps(run)) {
		outcomes_tell(outcomes, run, finish);
		promises_remember(outcomes->promises, run, finish->reply, finish->reply_size);
		outcomes_release(outcomes, run);
		return;
	}
	outcome_take_reply(run, finish);
	complete = outcome_complete(outcomes->recorder, run) == 0;
	if (run->process && complete) {
		outcomes_settle(outcomes, run);
		return;
	}
	TAILQ_INSERT_TAIL(&outcomes->ended, run, entry);
	outcomes->n_ended++;
}

void outcomes_add_durable(Outcomes *outcomes, Run *run)
{
	outcomes_settle(outcomes, run);
}

static bool may_settle(const Outcomes *outcomes, const Run *run)
{
	return run->process || (!outcomes->distrusted && run->end <= recorder_synced(outcomes->recorder));
}

void outcomes_step(Outcomes *outcomes, uint64_t now_usec)
{
	Run *run;
	int r;

	while ((run = TAILQ_FIRST(&outcomes->ended)) && may_settle(outcomes, run)) {
		r = outcome_complete(outcomes->recorder, run);
		if (r == -ENOMEM)
			break; /* at the next turn */
		TAILQ_REMOVE(&outcomes->ended, run, entry);
		outcomes->n_ended--;
		if (r < 0)
			outcomes_lose(outcomes, run);
		else
			outcomes_settle(outcomes, run);
	}
	if (run && !may_settle(outcomes, run) && !outcomes->distrusted)
		recorder_sync(outcomes->recorder);
	if (outcomes->retry_at_usec != 0 && now_usec >= outcomes->retry_at_usec)
		outcomes_store_again(outcomes);
}

void outcomes_distrust(Outcomes *outcomes)
{
	Run *run;

	outcomes->distrusted = true;
	TAILQ_FOREACH(run, &outcomes->ended, entry)
	{
		if (!run->process)
			run_disappoint(run);
	}
}

static void run_forsake(Run *run)
{
	run->offset = run->end = run->kept = 0;
	run->lent = false;
}

void outcomes_forsake(Outcomes *outcomes)
{
	Run *run;

	TAILQ_FOREACH(run, &outcomes->storing, entry)
	run_forsake(run);
	while ((run = TAILQ_FIRST(&outcomes->ended))) {
		TAILQ_REMOVE(&outcomes->ended, run, entry);
		outcomes->n_ended--;
		run_forsake(run);
		run_disappoint(run);
		if (outcome_complete(outcomes->recorder, run) < 0)
			outcomes_lose(outcomes, run);
		else
			outcomes_settle(outcomes, run);
	}
	outcomes_free_lent(outcomes);
	outcomes->distrusted = false;
}

static Run *list_find(const struct RunList *list, const Id *id)
{
	Run *run;

	TAILQ_FOREACH(run, list, entry)
	{
		if (id_equal(&run->id, id))
			return run;
	}
	return NULL;
}

Run *outcomes_find(const Outcomes *outcomes, const Id *id)
{
	Run *run = list_find(&outcomes->ended, id);

	return run ? run : list_find(&outcomes->storing, id);
}
