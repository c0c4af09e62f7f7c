/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What operators decide (rule 43): about a parked run, about the queue. It is answered when it is durable. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/calls_private.h"
#include "daemon/stored_reply.h"

#define REASON_MAX LEDGER_TEXT_MAX /* bytes */

static int get_reason(const Ask *ask, bool required, const char **ret, Error *error)
{
	const char *reason = ask_text(ask, "reason");

	if (required && !*reason)
		return error_set(error, ERROR_BAD_REQUEST, "/parameters/reason", "expected a reason, got an empty one");
	if (reason && strlen(reason) > REASON_MAX)
		return error_set(error, ERROR_BAD_REQUEST, "/parameters/reason",
				 "expected a reason of at most %u bytes, got %zu", REASON_MAX, strlen(reason));
	*ret = reason && *reason ? reason : NULL;
	return 0;
}

static int get_decision(const Ask *ask, LedgerVerb verb, LedgerDecision *ret, Error *error)
{
	int64_t step = ask_int(ask, "step");
	int r;

	*ret = (LedgerDecision){ .verb = verb, .uid = ask->client->peer.uid, .usec = clock_realtime() };
	r = ask_run(ask, &ret->run, error);
	if (r >= 0 && (step < 0 || step > UINT32_MAX))
		return error_set(error, ERROR_BAD_REQUEST, "/parameters/step",
				 "expected the number of a step, got %" PRId64, step);
	ret->step = (uint32_t)step;
	if (ask_bool(ask, "current_module"))
		ret->flags |= LEDGER_DECISION_CURRENT_MODULE;
	if (ask_bool(ask, "undone_by_hand"))
		ret->flags |= LEDGER_DECISION_UNDONE_BY_HAND;
	if (r >= 0)
		r = get_reason(ask, verb != LEDGER_RETRY, &ret->reason, error);
	return r < 0 ? r : calls_check_store(ask->calls, error);
}

static void say_decided(const Deferred *deferred, int r, Error *error)
{
	char text[ID_TEXT_SIZE];

	id_format(&deferred->run, text);
	if (r == -ENOENT)
		error_set(error, ERROR_NO_SUCH_RUN, "/parameters/run", "there is no run %s", text);
	else if (r == -ESTALE)
		error_set(error, ERROR_WRONG_STATE, NULL,
			  "run %s is not parked at step %" PRIu32 " any more; nothing was decided", text,
			  deferred->step);
	else if (r == -EBUSY)
		error_set(error, ERROR_WRONG_STATE, NULL,
			  "run %s is about to be taken up by an earlier decision; nothing was decided", text);
	else
		error_set(error, ERROR_STORE_DAMAGED, NULL,
			  "the decision could not be written down: %s; it does not count", strerror(-r));
}

/* LedgerDone */
static void on_decided(void *context, int r)
{
	_cleanup_error_ Error error = { 0 };
	Deferred *deferred = context;
	Members members;

	if (r < 0) {
		say_decided(deferred, r, &error);
		deferred_refuse(deferred, &error);
		return;
	}
	members_begin(&members);
	members_id(&members, "run", &deferred->run);
	members_text(&members, "verb", deferred->verb);
	members_int(&members, "step", deferred->step);
	members_time(&members, "store_moved_usec", deferred->moved_usec);
	deferred_answer(deferred, members_end(&members));
}

/* The run may have been decided about elsewhere. */
static uint64_t moved_usec(const Ask *ask, const Id *run)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	if (ledger_find(ask->calls->parking->promises->ledger, run, &found) < 0)
		return 0; /* the decision will say why */
	return calls_moved_usec(ask->calls, found.run.ended_usec);
}

static int decide(Ask *ask, const LedgerDecision *decision, Error *error)
{
	Deferred *deferred = NULL;
	int r;

	r = deferred_new(ask, &deferred);
	if (r < 0)
		return r;
	deferred->run = decision->run;
	deferred->step = decision->step;
	deferred->moved_usec = moved_usec(ask, &decision->run);
	deferred->verb = ledger_verb_name(decision->verb);
	r = parking_decide(ask->calls->parking, decision, on_decided, deferred, error);
	if (r >= 0)
		return CALL_LATER;
	if (r != -EBADMSG && r != -ENOMEM) {
		say_decided(deferred, r, error);
		r = -EBADMSG;
	}
	deferred_drop(deferred);
	return r;
}

/* What it would be taken up with. */
static Id module_of(const Ask *ask, const LedgerDecision *decision)
{
	const Catalog *current = ask->calls->crew->catalog;
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	Run *run;

	if (decision->flags & LEDGER_DECISION_CURRENT_MODULE && current)
		return current->identity;
	if (calls_find(ask->calls, &decision->run, &run) != PLACE_NONE)
		return run->catalog->identity;
	if (ledger_find(ask->calls->parking->promises->ledger, &decision->run, &found) < 0)
		return (Id){ 0 };
	return found.run.module;
}

/* Nothing changes. */
static int rehearse(Ask *ask, const LedgerDecision *decision, struct json_object **ret, Error *error)
{
	_cleanup_json_ struct json_object *account = NULL;
	Parking *parking = ask->calls->parking;
	Id module;
	Members members;
	int r;

	r = parking_check(parking, decision, error);
	if (r < 0)
		return r;
	account = json_object_new_object();
	r = account ? parking_describe(parking, &decision->run, account, error) : -ENOMEM;
	if (r < 0)
		return r;
	module = module_of(ask, decision);
	members_begin(&members);
	members_id(&members, "run", &decision->run);
	members_int(&members, "step", decision->step);
	members_time(&members, "store_moved_usec", moved_usec(ask, &decision->run));
	members_add(&members, "next", json_object_get(stored_member(account, "next")));
	members_add(&members, "module", parking_describe_module(parking, &module, NULL));
	return ask_result(&members, ret);
}

int call_retry(Ask *ask, struct json_object **ret, Error *error)
{
	LedgerDecision decision;
	int r;

	r = get_decision(ask, LEDGER_RETRY, &decision, error);
	if (r < 0)
		return r;
	return ask_bool(ask, "dry_run") ? rehearse(ask, &decision, ret, error) : decide(ask, &decision, error);
}

int call_skip(Ask *ask, struct json_object **ret, Error *error)
{
	LedgerDecision decision;
	int r;

	(void)ret;
	r = get_decision(ask, LEDGER_SKIP, &decision, error);
	return r < 0 ? r : decide(ask, &decision, error);
}

int call_confirm(Ask *ask, struct json_object **ret, Error *error)
{
	LedgerDecision decision;
	int r;

	(void)ret;
	r = get_decision(ask, LEDGER_CONFIRM, &decision, error);
	return r < 0 ? r : decide(ask, &decision, error);
}

/* LedgerDone */
static void on_held(void *context, int r)
{
	_cleanup_error_ Error error = { 0 };
	Deferred *deferred = context;
	Members members;

	if (r < 0) {
		error_set(&error, ERROR_STORE_DAMAGED, NULL, "it could not be written down: %s; nothing has changed",
			  strerror(-r));
		deferred_refuse(deferred, &error);
		return;
	}
	members_begin(&members);
	members_bool(&members, "held", deferred->held);
	deferred_answer(deferred, members_end(&members));
}

static int hold(Ask *ask, bool held, const char *reason, Error *error)
{
	const LedgerHold hold = {
		.held = held,
		.uid = ask->client->peer.uid,
		.reason = reason,
		.usec = clock_realtime(),
	};
	Deferred *deferred = NULL;
	int r;

	r = calls_check_store(ask->calls, error);
	if (r >= 0)
		r = deferred_new(ask, &deferred);
	if (r < 0)
		return r;
	deferred->held = held;
	r = parking_hold(ask->calls->parking, &hold, on_held, deferred);
	if (r >= 0)
		return CALL_LATER;
	deferred_drop(deferred);
	return ledger_trouble(ask->calls, r, error);
}

int call_hold(Ask *ask, struct json_object **ret, Error *error)
{
	const char *reason = NULL;
	int r;

	(void)ret;
	r = get_reason(ask, false, &reason, error);
	return r < 0 ? r : hold(ask, true, reason, error);
}

int call_resume(Ask *ask, struct json_object **ret, Error *error)
{
	(void)ret;
	return hold(ask, false, NULL, error);
}
