/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cancel` (rule 18): what waits never begins, what runs is asked of the crew. It is answered when it cannot be lost
 * any more. */
#include <errno.h>

#include "daemon/calls_private.h"

static int too_late(const char *run, const char *what, Error *error)
{
	return error_set(error, ERROR_WRONG_STATE, NULL, "run %s cannot be cancelled: %s", run, what);
}

static struct json_object *cancelled(const Deferred *deferred, bool begun)
{
	Members members;

	members_begin(&members);
	members_id(&members, "run", &deferred->run);
	members_bool(&members, "begun", begun);
	return members_end(&members);
}

/* ---- what waits ---- */

static void refuse_taken(Deferred *deferred)
{
	_cleanup_error_ Error error = { 0 };
	Run *run = take_ptr(deferred->taken);

	error_set(&error, ERROR_CANCELLED, NULL, "the run was cancelled before it began; nothing ran");
	promises_leave(deferred->calls->parking->promises, run);
	run_refuse(run, &error);
}

/* LedgerDone */
static void on_refusal_written(void *context, int r)
{
	_cleanup_error_ Error error = { 0 };
	Deferred *deferred = context;

	refuse_taken(deferred);
	if (r >= 0) {
		deferred_answer(deferred, cancelled(deferred, false));
		return;
	}
	error_set(
		&error, ERROR_STORE_DAMAGED, NULL,
		"that the run is cancelled could not be written down: it does not begin now, but may at the next start "
		"of the daemon");
	deferred_refuse(deferred, &error);
}

/* A submission stands in the ledger: without a word there it would begin at the next start. */
static void cancel_queued(Deferred *deferred, Run *run)
{
	Promises *promises = deferred->calls->parking->promises;
	int r;

	deferred->taken = queue_take(deferred->calls->crew->setup.queue, run);
	if (!run->submitted) {
		refuse_taken(deferred);
		deferred_answer(deferred, cancelled(deferred, false));
		return;
	}
	r = promises_refuse(promises, &run->id, ERROR_CANCELLED, on_refusal_written, deferred);
	if (r < 0)
		on_refusal_written(deferred, r);
}

/* ---- what is with a worker ---- */

static int cancel_anywhere(Deferred *deferred, Error *error);

static const struct {
	int r;
	const char *what;
} refusals[] = {
	{ -EALREADY, "it is on its way back, or has ended" },
	{ -EPERM, "an irreversible step of it is done, or nothing of it is left to run" },
	{ -EBUSY, "it is being cancelled already" },
};

static int say_refusal(const Id *run, int r, Error *error)
{
	char text[ID_TEXT_SIZE];

	id_format(run, text);
	for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
		if (refusals[i].r == r)
			return too_late(text, refusals[i].what, error);
	return r;
}

/* CrewCancelled */
static void on_cancelled(void *context, int r, bool begun)
{
	_cleanup_error_ Error error = { 0 };
	Deferred *deferred = context;

	if (r == 0) {
		deferred_answer(deferred, cancelled(deferred, begun));
		return;
	}
	/* its worker died before it had begun: it waits again */
	r = r == -EAGAIN ? cancel_anywhere(deferred, &error) : say_refusal(&deferred->run, r, &error);
	if (r == -EBADMSG)
		deferred_refuse(deferred, &error);
	else if (r < 0)
		deferred_answer(deferred, NULL);
}

/* ---- both ---- */

/* 0: it is answered, or will be. */
static int cancel_anywhere(Deferred *deferred, Error *error)
{
	Calls *calls = deferred->calls;
	char text[ID_TEXT_SIZE];
	RunPlace place;
	Run *run;
	int r;

	id_format(&deferred->run, text);
	place = calls_find(calls, &deferred->run, &run);
	if (place == PLACE_OUTCOMES && run->answered && run->status == WALK_PARKED)
		return too_late(text, "it is parked, and waits for an operator", error);
	if (place == PLACE_CREW && (run->call.rectifying || run->irreversible))
		return say_refusal(&deferred->run, run->irreversible ? -EPERM : -EALREADY, error);
	if (place == PLACE_QUEUE && run->taken_up)
		return too_late(text, "it has begun, and is just being taken up; ask again", error);
	if (place == PLACE_QUEUE) {
		cancel_queued(deferred, run);
		return 0;
	}
	if (place == PLACE_PROMISES)
		return too_late(text, "it is just being written down; ask again", error);
	if (place != PLACE_CREW)
		return too_late(text, "it has ended", error);
	r = crew_cancel(calls->crew, &deferred->run, deferred->now, on_cancelled, deferred);
	return r == -ENOENT ? too_late(text, "it has ended", error) : say_refusal(&deferred->run, r, error);
}

static int check_stored(const LedgerRun *run, Error *error)
{
	char text[ID_TEXT_SIZE];

	id_format(&run->run, text);
	if (run->state == LEDGER_PARKED)
		return too_late(text, "it is parked, and waits for an operator", error);
	if (ledger_state_ended(run->state))
		return error_set(error, ERROR_WRONG_STATE, NULL, "run %s cannot be cancelled: it has ended as %s", text,
				 ledger_state_name(run->state));
	return error_set(error, ERROR_RECOVERING, NULL, "run %s is %s, and waits for the module to be in use", text,
			 ledger_state_name(run->state));
}

int call_cancel(Ask *ask, struct json_object **ret, Error *error)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	Deferred *deferred = NULL;
	RunPlace place;
	Run *run;
	Id id;
	int r;

	(void)ret;
	r = ask_run(ask, &id, error);
	if (r >= 0)
		r = ask_find(ask, &id, &run, &place, &found, error);
	if (r < 0)
		return r;
	if (!run)
		return check_stored(&found.run, error);
	r = deferred_new(ask, &deferred);
	if (r < 0)
		return r;
	deferred->run = id;
	deferred->now = ask_bool(ask, "now");
	r = cancel_anywhere(deferred, error);
	if (r >= 0)
		return CALL_LATER;
	deferred_drop(deferred);
	return r;
}
