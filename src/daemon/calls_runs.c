/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs by their ids, wherever they are; `parked`. */
#include <errno.h>
#include <string.h>

#include "daemon/calls_private.h"
#include "daemon/stored_reply.h"

static Run *find_promising(const Promises *promises, const Id *id)
{
	Run *run;

	TAILQ_FOREACH(run, &promises->promising, entry)
	{
		if (id_equal(&run->id, id))
			return run;
	}
	return NULL;
}

RunPlace calls_find(const Calls *calls, const Id *id, Run **ret)
{
	const Crew *crew = calls->crew;

	if ((*ret = queue_find(crew->setup.queue, id)))
		return PLACE_QUEUE;
	if ((*ret = crew_find(crew, id)))
		return PLACE_CREW;
	if ((*ret = outcomes_find(crew->setup.outcomes, id)))
		return PLACE_OUTCOMES;
	if ((*ret = find_promising(calls->parking->promises, id)))
		return PLACE_PROMISES;
	return PLACE_NONE;
}

const char *calls_status(const Run *run, RunPlace place)
{
	if (place == PLACE_OUTCOMES && run->answered)
		return walk_status_name(run->status);
	/* one that has ended, and is not known to be on the disk, is believed when it is */
	if (place == PLACE_OUTCOMES || (place == PLACE_CREW && run->state == RUN_BEGUN) || run->taken_up)
		return walk_status_name(WALK_RUNNING);
	return ledger_state_name(LEDGER_QUEUED);
}

static bool is_rectifying(const Run *run)
{
	return run->state == RUN_BEGUN && run->call.rectifying;
}

const char *calls_state(const Run *run, RunPlace place)
{
	return place == PLACE_CREW && is_rectifying(run) ? "rectifying" : calls_status(run, place);
}

const char *ledger_run_status(const LedgerRun *run)
{
	return run->state == LEDGER_RESUMED ? walk_status_name(WALK_RUNNING) : ledger_state_name(run->state);
}

static const struct {
	const char *state;
	ErrorCode code;
	const char *message;
} troubles[] = {
	{ "recovering", ERROR_RECOVERING, "what an earlier daemon left is still being looked at" },
	{ "store-busy", ERROR_STORE_BUSY, "the state directory is in use" },
	{ "store-damaged", ERROR_STORE_DAMAGED, "the state directory cannot be used" },
};

int calls_check_store(const Calls *calls, Error *error)
{
	const Promises *promises = calls->parking->promises;
	const char *message = NULL;
	const char *state = calls->state(calls->context, &message);
	const char *problem;

	for (size_t i = 0; i < ELEMENTSOF(troubles); i++)
		if (strcmp(troubles[i].state, state) == 0)
			return error_set(error, troubles[i].code, NULL, "%s", message ? message : troubles[i].message);
	problem = promises_problem(promises);
	if (problem)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "%s", problem);
	if (!promises->ledger)
		return error_set(error, ERROR_RECOVERING, NULL, "the state directory is not open yet");
	return 0;
}

int ledger_trouble(const Calls *calls, int r, Error *error)
{
	const char *problem = promises_problem(calls->parking->promises);

	if (r == -ENOMEM)
		return r;
	return error_set(error, ERROR_STORE_DAMAGED, NULL, "%s%s",
			 problem ? problem : "the ledger cannot be read: ", problem ? "" : strerror(-r));
}

uint64_t calls_moved_usec(const Calls *calls, uint64_t parked_usec)
{
	const Ledger *ledger = calls->parking->promises->ledger;
	uint64_t moved = ledger ? ledger_moved_usec(ledger) : 0;

	return parked_usec != 0 && parked_usec < moved ? moved : 0;
}

static int no_such_run(const Id *id, Error *error)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	return error_set(error, ERROR_NO_SUCH_RUN, "/parameters/run", "there is no run %s", text);
}

static int find_stored(const Ask *ask, const Id *id, LedgerFound *ret, Error *error)
{
	LedgerFound found = { 0 };
	int r;

	r = calls_check_store(ask->calls, error);
	if (r < 0)
		return r;
	r = ledger_find(ask->calls->parking->promises->ledger, id, &found);
	if (r == -ENOENT)
		return no_such_run(id, error);
	if (r < 0)
		return ledger_trouble(ask->calls, r, error);
	if (!ask_may_see(ask, found.run.uid)) {
		ledger_found_done(&found);
		return no_such_run(id, error);
	}
	*ret = found;
	return 0;
}

int ask_find(const Ask *ask, const Id *id, Run **ret_run, RunPlace *ret_place, LedgerFound *ret_found, Error *error)
{
	Run *run = NULL;
	RunPlace place;

	crew_look(ask->calls->crew);
	place = calls_find(ask->calls, id, &run);
	if (run && !ask_may_see(ask, run->peer.uid))
		return no_such_run(id, error);
	*ret_run = run;
	*ret_place = place;
	return run ? 0 : find_stored(ask, id, ret_found, error);
}

/* ---- parked ---- */

typedef struct Listing {
	const Calls *calls;
	struct json_object *list; /* NULL: memory is short */
	uint64_t n;
} Listing;

static void list_parked(Listing *listing, const LedgerRun *run)
{
	uint32_t step = run->step;
	ErrorCode code = run->error;
	_cleanup_json_ struct json_object *reply = stored_reply_read(run->reply, run->reply_size);
	struct json_object *parked = stored_member(reply, "parked");
	Members members;

	stored_reply_stand(reply, &step, &code);
	members_begin(&members);
	members_id(&members, "run", &run->run);
	members_text_or_null(&members, "program", run->program);
	members_int(&members, "parked_usec", run->ended_usec);
	members_int(&members, "step", step);
	members_text_or_null(&members, "hook", stored_text(parked, "hook"));
	members_text_or_null(&members, "name", error_name(code));
	members_text_or_null(&members, "message", stored_text(parked, "message"));
	members_int(&members, "peer_uid", run->uid);
	members_text_or_null(&members, "request_id", run->request_id);
	listing->list = members_append(listing->list, members_end(&members));
}

/* LedgerOnRun: what is in memory is on its way to the ledger, or was taken up. */
static int on_parked(void *context, const LedgerRun *run)
{
	Listing *listing = context;
	Run *known;

	if (calls_find(listing->calls, &run->run, &known) == PLACE_NONE)
		list_parked(listing, run);
	return listing->list ? 0 : -ENOMEM;
}

static void list_storing(Listing *listing)
{
	const Run *run;

	TAILQ_FOREACH_REVERSE(run, &listing->calls->crew->setup.outcomes->storing, RunList, entry)
	{
		const LedgerRun told = {
			.run = run->id,
			.uid = run->peer.uid,
			.request_id = run->request_id,
			.program = run->program->spec->name,
			.ended_usec = run->ended_realtime_usec,
			.error = run->error,
			.step = run->error_step,
			.reply = (const char *)run->reply.data,
			.reply_size = run->reply.size,
		};

		if (run->status == WALK_PARKED && listing->list)
			list_parked(listing, &told);
	}
}

int call_parked(Ask *ask, struct json_object **ret, Error *error)
{
	const LedgerFilter filter = { .states = LEDGER_BIT(LEDGER_PARKED), .replies = true };
	Listing listing = { .calls = ask->calls };
	Members members;
	int r;

	r = calls_check_store(ask->calls, error);
	if (r < 0)
		return r;
	listing.list = json_object_new_array();
	list_storing(&listing);
	r = ledger_list(ask->calls->parking->promises->ledger, &filter, on_parked, &listing);
	if (r < 0 && r != -ENOENT) {
		json_object_put(listing.list);
		return ledger_trouble(ask->calls, r, error);
	}
	members_begin(&members);
	members_add(&members, "runs", listing.list);
	return ask_result(&members, ret);
}

/* LedgerOnRun */
static int count_one(void *context, const LedgerRun *run)
{
	Listing *listing = context;
	Run *known;

	if (calls_find(listing->calls, &run->run, &known) == PLACE_NONE)
		listing->n++;
	return 0;
}

int calls_count_parked(const Calls *calls, uint64_t *ret)
{
	const LedgerFilter filter = { .states = LEDGER_BIT(LEDGER_PARKED) };
	Promises *promises = calls->parking->promises;
	Listing listing = { .calls = calls };
	const Run *run;

	TAILQ_FOREACH(run, &calls->crew->setup.outcomes->storing, entry)
	if (run->status == WALK_PARKED)
		listing.n++;
	if (!promises->ledger || promises_problem(promises) ||
	    ledger_list(promises->ledger, &filter, count_one, &listing) < 0)
		return -ENODATA;
	*ret = listing.n;
	return 0;
}
