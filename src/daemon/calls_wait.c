/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `wait`: {"run"}: the result is the run's reply, once it has ended or is parked.
 * `watch`: {"run"}: the same, and before it event lines as a request with "follow" gets them, from now on. The first one
 * is {"event":"state","state":…}: "queued", "running", "rectifying", "parked", or how it has ended; with "step", "hook",
 * "attempt" and "usec" where an attempt is in hand. */
#include <errno.h>

#include "daemon/calls_private.h"
#include "daemon/follow.h"

static int wait_in_memory(Ask *ask, Run *run, RunPlace place, bool watch, Error *error)
{
	int r;

	if (place == PLACE_OUTCOMES && run->reply.size == 0)
		return error_set(error, ERROR_WRONG_STATE, NULL, "run %s has ended, and its reply was not kept",
				 run->id_text);
	if (watch)
		follow_state(run, calls_state(run, place), ask->slot);
	if (place == PLACE_OUTCOMES && run->answered) {
		slot_answer(ask->slot, WAITER_CALL, run->id_text, (const char *)run->reply.data, run->reply.size);
		return CALL_LATER;
	}
	r = run_attach(run, ask->slot, WAITER_CALL, watch);
	return r < 0 ? r : CALL_LATER;
}

static int check_stored(const LedgerRun *run, const char *id, Error *error)
{
	if (run->state == LEDGER_REFUSED)
		return error_set(error, run->error == ERROR_NONE ? ERROR_CANCELLED : run->error, NULL,
				 "run %s was refused before it began; nothing ran", id);
	if (run->reply_size > 0)
		return 0;
	if (ledger_state_ended(run->state))
		return error_set(error, ERROR_WRONG_STATE, NULL,
				 "run %s has ended as %s, and its reply is not kept (KeepReplies=)", id,
				 ledger_state_name(run->state));
	return error_set(error, ERROR_RECOVERING, NULL, "run %s is %s, and waits for the module to be in use", id,
			 ledger_state_name(run->state));
}

static int wait_stored(Ask *ask, const LedgerRun *run, bool watch, Error *error)
{
	char text[ID_TEXT_SIZE];
	const ReplyEvent event = {
		.event = "state",
		.run = text,
		.program = run->program,
		.state = ledger_run_status(run),
		.step = run->step,
	};
	int r;

	id_format(&run->run, text);
	r = check_stored(run, text, error);
	if (r < 0)
		return r;
	if (watch)
		slot_event(ask->slot, &event);
	slot_answer(ask->slot, WAITER_CALL, text, run->reply, run->reply_size);
	return CALL_LATER;
}

static int wait_for(Ask *ask, bool watch, Error *error)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	RunPlace place;
	Run *run;
	Id id;
	int r;

	r = ask_run(ask, &id, error);
	if (r >= 0)
		r = ask_find(ask, &id, &run, &place, &found, error);
	if (r < 0)
		return r;
	return run ? wait_in_memory(ask, run, place, watch, error) : wait_stored(ask, &found.run, watch, error);
}

int call_wait(Ask *ask, struct json_object **ret, Error *error)
{
	(void)ret;
	return wait_for(ask, false, error);
}

int call_watch(Ask *ask, struct json_object **ret, Error *error)
{
	(void)ret;
	return wait_for(ask, true, error);
}
