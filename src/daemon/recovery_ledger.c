/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the ledger holds at the start, when the module in use is known: submissions that have not begun go into the
 * queue. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/modules_tidy.h"
#include "daemon/recovery_private.h"

typedef struct Restoring {
	Recovery *recovery;
	struct RunList runs;   /* to be queued */
	struct RunList parked; /* filled in as such */
	size_t n_lost;
} Restoring;

static bool is_in_memory(const Recovery *recovery, const Id *run)
{
	return crew_find(recovery->crew, run) || outcomes_find(recovery->outcomes, run);
}

static bool is_unbegun(const Recovery *recovery, const Id *run)
{
	for (size_t i = 0; i < recovery->n_unbegun; i++)
		if (id_equal(&recovery->unbegun[i], run))
			return true;
	return false;
}

static int refuse(Recovery *recovery, const LedgerRun *given)
{
	_cleanup_buffer_ Buffer records = { 0 };
	_cleanup_run_ Run *run = NULL;
	int r;

	r = recovery_make_from_ledger(recovery, given, &records, &run);
	if (r >= 0)
		promises_refused(recovery->promises, run, ERROR_NOT_STARTED);
	return r;
}

static int restore_parked(Restoring *restoring, const LedgerRun *given, ErrorCode code, const char *message)
{
	_cleanup_buffer_ Buffer records = { 0 };
	_cleanup_run_ Run *run = NULL;
	int r;

	r = recovery_make_from_ledger(restoring->recovery, given, &records, &run);
	if (r >= 0)
		r = recovery_make_parked(run, records.data, records.size, code, message);
	if (r < 0)
		return r;
	run->submitted = true;
	run->promised = true;
	TAILQ_INSERT_TAIL(&restoring->parked, take_ptr(run), entry);
	return 0;
}

static int on_submission(void *context, const LedgerRun *given)
{
	Restoring *restoring = context;
	Recovery *recovery = restoring->recovery;
	_cleanup_error_ Error error = { 0 };
	Run *run = NULL;
	int r;

	if (is_in_memory(recovery, &given->run))
		return 0;
	if (is_unbegun(recovery, &given->run))
		return refuse(recovery, given);
	r = intake_restore(recovery->intake, given, &run, &error);
	if (r == -EBADMSG) {
		log_warning("a submission of %s is refused: %s",
			    given->program ? given->program : "a program that is not known",
			    error.message ? error.message : "out of memory");
		restoring->n_lost++;
		return 0;
	}
	if (r < 0)
		return r;
	TAILQ_INSERT_TAIL(&restoring->runs, run, entry);
	return 0;
}

/* Taken up by a recorder that is not here any more. */
static int on_resumed(void *context, const LedgerRun *given)
{
	Restoring *restoring = context;

	if (is_in_memory(restoring->recovery, &given->run))
		return 0;
	return restore_parked(restoring, given, ERROR_DAMAGED,
			      "it had been taken up again, and the recorder that would say how far it came is gone");
}

static int restore_all(Restoring *restoring)
{
	const LedgerFilter resumed = { .states = LEDGER_BIT(LEDGER_RESUMED) };
	Promises *promises = restoring->recovery->promises;
	int r;

	r = promises_take(promises, on_submission, restoring);
	if (r >= 0)
		r = ledger_list(promises->ledger, &resumed, on_resumed, restoring);
	return r;
}

static void queue_restored(Restoring *restoring)
{
	Recovery *recovery = restoring->recovery;
	Run *run;

	while ((run = TAILQ_FIRST(&restoring->parked))) {
		TAILQ_REMOVE(&restoring->parked, run, entry);
		if (run->request_id && promises_enter(recovery->promises, run) < 0)
			log_warning("run %s: it cannot be found by its request id until it is stored", run->id_text);
		outcomes_add_durable(recovery->outcomes, run);
	}
	while ((run = TAILQ_FIRST(&restoring->runs))) {
		TAILQ_REMOVE(&restoring->runs, run, entry);
		if (run->request_id && promises_enter(recovery->promises, run) < 0) {
			run_free(run); /* the next start finds it again */
			continue;
		}
		run->state = RUN_QUEUED;
		queue_push(recovery->queue, run);
	}
}

static void free_restored(struct RunList *runs)
{
	Run *run;

	while ((run = TAILQ_FIRST(runs))) {
		TAILQ_REMOVE(runs, run, entry);
		run_free(run);
	}
}

void recovery_restore(Recovery *recovery)
{
	Restoring restoring = { .recovery = recovery };
	int r;

	if (recovery->restored || !recovery->crew->catalog)
		return;
	TAILQ_INIT(&restoring.runs);
	TAILQ_INIT(&restoring.parked);
	r = restore_all(&restoring);
	if (r >= 0)
		r = parking_restore(recovery->parking);
	if (r < 0) {
		free_restored(&restoring.runs);
		free_restored(&restoring.parked);
		log_line(LOG_CRIT,
			 "the ledger in %s could not be read: %s; what is queued in it waits for the next start",
			 recovery->store->directory, strerror(-r));
		recovery->restored = true;
		return;
	}
	queue_restored(&restoring);
	recovery->restored = true;
}

void recovery_settle(Recovery *recovery)
{
	Promises *promises = recovery->promises;

	if (recovery->settled || !recovery->restored || outcomes_pending(recovery->outcomes))
		return;
	recovery->settled = true;
	modules_tidy(recovery->crew, promises);
	if (ledger_place(promises->ledger) == LEDGER_MOVED && ledger_adopt(promises->ledger, NULL, NULL) < 0)
		log_warning("the ledger in %s still counts as moved; tried again at the next start",
			    recovery->store->directory);
}
