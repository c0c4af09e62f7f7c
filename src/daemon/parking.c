/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/parking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/point.h"
#include "daemon/parking_private.h"

Run *parking_taken(const Parking *parking, const Id *run)
{
	Run *found = queue_find(parking->queue, run);

	return found ? found : crew_find(parking->crew, run);
}

static int check_ledger(const Parking *parking, Error *error)
{
	const char *problem = promises_problem(parking->promises);

	if (problem || !parking->promises->ledger)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "%s", problem ? problem : "the ledger is not open");
	return 0;
}

/* It is not parked: says what it is. */
static int say_where(const Parking *parking, const Id *run, Error *error)
{
	const Run *ending = outcomes_find(parking->crew->setup.outcomes, run);
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	char text[ID_TEXT_SIZE];
	int r;

	id_format(run, text);
	if (ending && ending->answered && ending->status != WALK_PARKED)
		return error_set(error, ERROR_WRONG_STATE, NULL, "run %s is not parked: it has ended as %s", text,
				 walk_status_name(ending->status));
	if (ending)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "run %s is ending just now, and is not known to be parked; ask again", text);
	r = ledger_find(parking->promises->ledger, run, &found);
	if (r == -ENOENT)
		return error_set(error, ERROR_NO_SUCH_RUN, "/parameters/run", "there is no run %s", text);
	if (r < 0)
		return r;
	if (found.run.state == LEDGER_PARKED)
		return error_set(error, ERROR_WRONG_STATE, NULL, "run %s is being written down as parked; ask again",
				 text);
	if (ledger_state_ended(found.run.state))
		return error_set(error, ERROR_WRONG_STATE, NULL, "run %s is not parked: it has ended as %s", text,
				 ledger_state_name(found.run.state));
	return error_set(error, ERROR_WRONG_STATE, NULL, "run %s is not parked: it %s", text,
			 found.run.state == LEDGER_QUEUED ? "has not begun" : "has been taken up again");
}

static int say_taken(const Run *run, Error *error)
{
	return error_set(error, ERROR_WRONG_STATE, NULL, "run %s is not parked: it %s", run->id_text,
			 run->taken_up && run->decided_usec ? "is being taken up by an earlier decision"
			 : run->state == RUN_BEGUN          ? "is running"
							    : "waits to be run");
}

typedef struct Earlier {
	uint64_t last_usec;
	bool open;
	LedgerVerb verb;
	uint32_t uid;
} Earlier;

static int on_earlier(void *context, const LedgerDecision *decision)
{
	Earlier *earlier = context;

	earlier->last_usec = MAX(earlier->last_usec, decision->usec);
	if (!decision->done) {
		earlier->open = true;
		earlier->verb = decision->verb;
		earlier->uid = decision->uid;
	}
	return 0;
}

static int check_earlier(const Parking *parking, const Id *run, Error *error)
{
	Earlier earlier = { 0 };
	char text[ID_TEXT_SIZE];
	int r;

	r = ledger_decisions(parking->promises->ledger, run, on_earlier, &earlier);
	if (r < 0 || !earlier.open)
		return MIN(r, 0);
	id_format(run, text);
	return error_set(error, ERROR_WRONG_STATE, NULL,
			 "run %s is about to be taken up: %s was decided by user %" PRIu32 " already", text,
			 ledger_verb_name(earlier.verb), earlier.uid);
}

static int check_current(const Parking *parking, const ParkedRun *run, Replay *replay, Error *error)
{
	const Crew *crew = parking->crew;
	int r;

	if (!crew->catalog)
		return error_set(error, ERROR_NO_MODULE, NULL, "%s",
				 crew->problem ? crew->problem : "no module is in use yet");
	r = parked_run_fits(parking, run, crew->catalog, replay);
	if (r == -ENOENT)
		return error_set(
			error, ERROR_WRONG_STATE, NULL,
			"the module in use now (build %s) has no program %s: the run can only go on with build "
			"%s",
			crew->catalog->build_id, run->program ? run->program : "of that name",
			run->build_id ? run->build_id : "that it began with");
	if (r == -EBADMSG)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "what is recorded of the run does not fit program %s as the module in use now (build "
				 "%s) has it: it can only go on with build %s",
				 run->program, crew->catalog->build_id,
				 run->build_id ? run->build_id : "that it began with");
	return r;
}

static int check_own(const Parking *parking, const ParkedRun *run, Replay *replay, Error *error)
{
	const Catalog *catalog = parked_run_catalog(parking, run, 0);
	const char *build = run->build_id;

	if (!catalog || !crew_has_module(parking->crew, &run->module)) {
		if (!build || !*build)
			build = catalog ? catalog->build_id : "(not known)";
		return error_set(
			error, ERROR_WRONG_STATE, NULL,
			"the run began with build %s of module %s, which is not installed: install it again, or "
			"retry with --current-module",
			build, catalog ? catalog->spec->module : "(not known)");
	}
	return parked_run_replay(run, catalog, replay);
}

/* What the worker will do with the decision, done here with a walk of its own. */
static int try_verb(const LedgerDecision *decision, Replay *replay)
{
	WalkError parked;

	if (replay->set_aside)
		return decision->verb == LEDGER_RETRY ? 0 : -EALREADY;
	switch (decision->verb) {
	case LEDGER_SKIP:
		return walk_skip(replay->walk, decision->step);
	case LEDGER_CONFIRM:
		return walk_confirm(replay->walk, decision->step);
	default: /* the step is 0 where the run was parked without its plan */
		walk_parked(replay->walk, &parked);
		return walk_retry(replay->walk, decision->step > 0 ? decision->step : parked.step);
	}
}

static int check_verb(const LedgerDecision *decision, const ParkedRun *run, Replay *replay, Error *error)
{
	const char *name = run->error == ERROR_NONE ? "something else" : error_name(run->error);
	int r = try_verb(decision, replay);

	if (r == -EALREADY)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "the run is parked as %s alone: no step of it has stopped it; retry it first", name);
	if (r == -EPERM && decision->verb == LEDGER_SKIP)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "the run stands before step %" PRIu32
				 ", on its way forward: there is nothing to skip; "
				 "retry goes on there",
				 decision->step);
	if (r == -EPERM)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "only a run that is parked as Irreversible, with no other step in doubt, can be "
				 "confirmed; this one is parked as %s",
				 name);
	if (r == -ESTALE || r == -EBUSY)
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "what is recorded of the run does not say that it stands at step %" PRIu32
				 "; retry it first",
				 decision->step);
	return r;
}

static int check_run(const Parking *parking, const LedgerDecision *decision, const ParkedRun *run, Error *error)
{
	_cleanup_replay_ Replay replay = { 0 };
	bool current = decision->flags & LEDGER_DECISION_CURRENT_MODULE;
	int r;

	if (decision->step != run->step)
		return error_set(error, ERROR_WRONG_STATE, "/parameters/step",
				 "the run stands at step %" PRIu32 ", not at step %" PRIu32, run->step, decision->step);
	if (!current && parked_run_is_lost(parking, run)) {
		if (decision->verb == LEDGER_SKIP)
			return 0;
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "what is recorded of the run does not hold, or nothing is known of its module: nobody "
				 "can go on with it; skip leaves it as it is");
	}
	r = current ? check_current(parking, run, &replay, error) : check_own(parking, run, &replay, error);
	return r < 0 ? r : check_verb(decision, run, &replay, error);
}

static int check(Parking *parking, const LedgerDecision *decision, ParkedRun *run, Error *error)
{
	const Run *taken = parking_taken(parking, &decision->run);
	int r;

	if (taken)
		return say_taken(taken, error);
	r = check_ledger(parking, error);
	if (r < 0)
		return r;
	r = parked_run_load(parking, &decision->run, run);
	if (r == -ENOENT || r == -ESTALE)
		return say_where(parking, &decision->run, error);
	/* one that parks anew just now is on its way to the ledger, and its earlier decision is done by that */
	if (r >= 0 && !outcomes_find(parking->crew->setup.outcomes, &decision->run))
		r = check_earlier(parking, &decision->run, error);
	if (r >= 0)
		r = check_run(parking, decision, run, error);
	if (r == -EUCLEAN)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "what the ledger holds of the run is damaged");
	return r;
}

int parking_check(Parking *parking, const LedgerDecision *decision, Error *error)
{
	_cleanup_parked_run_ ParkedRun run = { 0 };

	return check(parking, decision, &run, error);
}

/* A decision under way to the disk. */
typedef struct Pending {
	Parking *parking;
	LedgerDecision decision;
	char *reason, *program;
	LedgerDone done;
	void *context;
} Pending;

static void pending_free(Pending *pending)
{
	free(pending->reason);
	free(pending->program);
	free(pending);
}

/* LedgerDone */
static void on_decided(void *context, int r)
{
	Pending *pending = context;
	Parking *parking = pending->parking;

	if (r == 0) {
		POINT("after-decision");
		trace_decided(parking->trace, pending->program, &pending->decision);
		if (parking_take(parking, &pending->decision) < 0)
			parking->again = true;
	}
	pending->done(pending->context, r);
	pending_free(pending);
}

static int pending_new(Parking *parking, const LedgerDecision *decision, const ParkedRun *run, Pending **ret)
{
	Pending *pending = calloc(1, sizeof(*pending));
	Earlier earlier = { 0 };

	if (!pending)
		return -ENOMEM;
	pending->parking = parking;
	pending->decision = *decision;
	pending->reason = decision->reason ? strdup(decision->reason) : NULL;
	pending->program = run->program ? strdup(run->program) : NULL;
	if ((decision->reason && !pending->reason) || (run->program && !pending->program)) {
		pending_free(pending);
		return -ENOMEM;
	}
	pending->decision.reason = pending->reason;
	/* the time tells a run's decisions from each other */
	(void)ledger_decisions(parking->promises->ledger, &decision->run, on_earlier, &earlier);
	pending->decision.usec = MAX(clock_realtime(), earlier.last_usec + 1);
	*ret = pending;
	return 0;
}

int parking_decide(Parking *parking, const LedgerDecision *decision, LedgerDone done, void *context, Error *error)
{
	_cleanup_parked_run_ ParkedRun run = { 0 };
	Pending *pending = NULL;
	int r;

	r = check(parking, decision, &run, error);
	if (r >= 0)
		r = pending_new(parking, decision, &run, &pending);
	if (r < 0)
		return r;
	pending->done = done;
	pending->context = context;
	POINT("before-decision");
	r = ledger_decide(parking->promises->ledger, &pending->decision, on_decided, pending);
	if (r < 0)
		pending_free(pending);
	return r;
}

typedef struct PendingHold {
	Parking *parking;
	LedgerHold hold;
	char *reason;
	LedgerDone done;
	void *context;
} PendingHold;

/* LedgerDone */
static void on_held(void *context, int r)
{
	PendingHold *pending = context;

	if (r == 0) {
		pending->parking->promises->held = pending->hold.held;
		trace_held(pending->parking->trace, &pending->hold);
	}
	pending->done(pending->context, r);
	free(pending->reason);
	free(pending);
}

int parking_hold(Parking *parking, const LedgerHold *hold, LedgerDone done, void *context)
{
	PendingHold *pending;
	int r;

	if (!parking->promises->ledger)
		return -EUCLEAN;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	*pending = (PendingHold){ .parking = parking, .hold = *hold, .done = done, .context = context };
	pending->reason = hold->reason ? strdup(hold->reason) : NULL;
	pending->hold.reason = pending->reason;
	r = hold->reason && !pending->reason ? -ENOMEM : ledger_hold(parking->promises->ledger, hold, on_held, pending);
	if (r < 0) {
		free(pending->reason);
		free(pending);
	}
	return r;
}

static bool any_taken_up(const struct RunList *runs)
{
	const Run *run;

	TAILQ_FOREACH(run, runs, entry)
	if (run->taken_up)
		return true;
	return false;
}

static bool any_parked(const struct RunList *runs)
{
	const Run *run;

	TAILQ_FOREACH(run, runs, entry)
	if (run->status == WALK_PARKED)
		return true;
	return false;
}

/* Also while what an operator has decided about goes on, and may park again. Decided runs are at the queue's head. */
bool parking_holds(const Parking *parking)
{
	const Crew *crew = parking->crew;
	const Run *first = queue_first(parking->queue);

	if (parking->config->on_parked != ON_PARKED_HOLD)
		return false;
	return parking->promises->n_parked > 0 || (first && first->taken_up) || any_taken_up(&crew->ordered) ||
	       any_parked(&crew->setup.outcomes->ended) || any_parked(&crew->setup.outcomes->storing);
}

int parking_summary(const Parking *parking, char *text, size_t size)
{
	uint64_t n = parking->promises->n_parked;
	char command[TRACE_COMMAND_MAX];

	if (n == 0)
		return 0;
	return snprintf(text, size, "%" PRIu64 " %s parked, and %s until an operator decides (%s)", n,
			n == 1 ? "run is" : "runs are", n == 1 ? "stays so" : "stay so",
			trace_command(parking->trace, "parked", command));
}
