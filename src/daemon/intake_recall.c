/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request id is asked for again: joined while its run is in memory, answered from the ledger afterwards. */
#include <errno.h>
#include <string.h>

#include "daemon/fingerprint.h"
#include "daemon/intake_private.h"

/* What wants to know that the run is queued is told so as soon as that will outlive the daemon: of one that is not in
 * the ledger, its end is the first such moment. */
static void join_run(Run *run, Slot *slot, const Request *request)
{
	bool promising = run->state == RUN_PROMISING;
	WaiterKind kind = !request->wait && promising ? WAITER_QUEUED : WAITER_REPLY;

	if (run->state == RUN_STORING)
		slot_answer(slot, WAITER_REPLY, run->id_text, (const char *)run->reply.data, run->reply.size);
	else if (!request->wait && !promising && run->submitted && run->state != RUN_ENDED)
		slot_answer_queued(slot, run->id_text, run->program->spec->name);
	else if (run_attach(run, slot, kind, request->follow) < 0)
		client_abandon(slot->client);
}

static void answer_found(const LedgerRun *found, Slot *slot)
{
	char id_text[ID_TEXT_SIZE];

	id_format(&found->run, id_text);
	if (found->reply)
		slot_answer(slot, WAITER_REPLY, id_text, found->reply, found->reply_size);
	else
		slot_answer_queued(slot, id_text, found->program);
}

/* It is durably queued, and that is all that is asked for. */
static bool is_queued(const Promise *promise, const Request *request)
{
	const LedgerRun *found = &promise->found.run;

	return promise->kind == PROMISE_LATER && found->state == LEDGER_QUEUED && !found->under_way && !request->wait;
}

static int check_later(const Intake *intake, Error *error)
{
	int r = intake_check_service(intake, error);

	return r < 0 ? r
		     : error_set(error, ERROR_STORE_DAMAGED, "/request_id",
				 "what became of the run that this request id stands for cannot be read, or not be "
				 "stored, now; nothing ran");
}

static int recall(Intake *intake, Client *client, Request *request, const Promise *promise, Error *error)
{
	Slot *slot;

	if (promise->kind == PROMISE_OTHER)
		return error_set(error, ERROR_REQUEST_ID_REUSED, "/request_id",
				 "this request id was used with another program, data_pool or metadata; nothing ran");
	if (promise->kind == PROMISE_NONE)
		return 0;
	if (promise->kind == PROMISE_LATER && !is_queued(promise, request))
		return check_later(intake, error);
	slot = client_slot(client, take_ptr(request->id_text));
	if (!slot)
		return 1;
	if (promise->kind == PROMISE_RUN)
		join_run(promise->run, slot, request);
	else
		answer_found(&promise->found.run, slot);
	return 1;
}

int intake_recall(Intake *intake, Client *client, Request *request, Id *ret_fingerprint, Error *error)
{
	_cleanup_promise_ Promise promise = { 0 };
	int r;

	r = fingerprint_request(request, ret_fingerprint);
	/* before an earlier daemon's recorder was read, the ledger alone does not say the truth */
	if (r < 0 || intake->store_code != ERROR_NONE)
		return r;
	r = promises_find(intake->promises, client->peer.uid, request->request_id, ret_fingerprint, &promise);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return error_set(error, ERROR_STORE_DAMAGED, "/request_id",
				 "what this request id stands for cannot be read: %s; nothing ran", strerror(-r));
	return recall(intake, client, request, &promise, error);
}
