/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that were with a worker and never began. A submission is refused, and its cancel answered, only when the ledger
 * does not hold it as queued any more: else it would begin at the next start. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/crew_private.h"

struct CrewRefusal {
	TAILQ_ENTRY(CrewRefusal) entry;
	Crew *crew;
	Run *run; /* owned */
	ErrorCode cause;
};

void crew_refuse(Crew *crew, Run *run, const Error *error)
{
	Promises *promises = crew->setup.outcomes->promises;

	if (run->submitted)
		promises_refused(promises, run, error->code);
	promises_leave(promises, run);
	run_refuse(run, error);
}

static void say_refused(Crew *crew, Run *run, ErrorCode cause)
{
	_cleanup_error_ Error error = { 0 };

	if (cause == ERROR_CANCELLED)
		error_set(&error, cause, NULL, "the run was cancelled before it began; nothing ran");
	else
		error_set(&error, ERROR_NOT_STARTED, NULL, "the run had not begun within `start_within`; nothing ran");
	crew_cancels_end(crew, &run->id, cause == ERROR_CANCELLED ? 0 : -EALREADY, false);
	promises_leave(crew->setup.outcomes->promises, run);
	run_refuse(run, &error);
}

static void refusal_free(CrewRefusal *refusal)
{
	TAILQ_REMOVE(&refusal->crew->refusals, refusal, entry);
	free(refusal);
}

/* LedgerDone */
static void on_refused(void *context, int r)
{
	CrewRefusal *refusal = context;
	Run *run = refusal->run;

	if (r < 0)
		log_warning("run %s: that it never began could not be written down: %s; it may begin at the next start",
			    run->id_text, strerror(-r));
	say_refused(refusal->crew, run, refusal->cause);
	refusal_free(refusal);
}

void crew_refuse_unbegun(Crew *crew, Run *run, ErrorCode cause)
{
	CrewRefusal *refusal = run->submitted ? malloc(sizeof(*refusal)) : NULL;
	int r;

	if (!refusal) {
		if (run->submitted)
			promises_refused(crew->setup.outcomes->promises, run, cause);
		say_refused(crew, run, cause);
		return;
	}
	*refusal = (CrewRefusal){ .crew = crew, .run = run, .cause = cause };
	TAILQ_INSERT_TAIL(&crew->refusals, refusal, entry);
	r = promises_refuse(crew->setup.outcomes->promises, &run->id, cause, on_refused, refusal);
	if (r < 0)
		on_refused(refusal, r);
}

bool crew_is_refusing(const Crew *crew, const Id *run)
{
	const CrewRefusal *refusal;

	TAILQ_FOREACH(refusal, &crew->refusals, entry)
	if (id_equal(&refusal->run->id, run))
		return true;
	return false;
}

void crew_refusals_free(Crew *crew)
{
	CrewRefusal *refusal;

	while ((refusal = TAILQ_FIRST(&crew->refusals))) {
		promises_disown(crew->setup.outcomes->promises, refusal);
		promises_leave(crew->setup.outcomes->promises, refusal->run);
		run_free(refusal->run);
		refusal_free(refusal);
	}
}
