/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `runs`: what is running, what waits, what is parked, and what was, newest first. All parameters are optional:
 *
 *   "status"   "running", "rectifying", "queued", "parked", "succeeded", "rectified", "settled" or "refused"; or
 *              "unfinished" (the first four), or "recent" (the others)
 *   "program"  runs of that program alone
 *   "uid"      that user's alone; who is no operator sees no others anyhow
 *   "since"    seconds of the epoch: what was submitted, began, ended or parked then or later
 *   "limit"    how many at most: 1 to 1000, else 100
 *
 * The result is {"runs":[…],"more":…}: the running ones first, then those that wait, in the order of the queue, then the
 * parked ones, then those that have ended, of both the newest first. "more" says that there are others that fit, or that
 * may: of those that have ended the newest 10,000 are looked through (for who is no operator: of their own).
 *
 * Each run has "run", "program", "status" (one of the first eight words), "uid", "pid" (who asked for it), "submitted",
 * "began", "ended" (seconds of the epoch, or null; of a parked run "ended" is when it parked; "submitted" is null where
 * that was not kept, which is so of a plain request that has ended), "step", "steps", "hook" (what it is at, stands at,
 * or failed at: step n of m; null where there is nothing such or it is not known), "error" ({"name","reason","message"}:
 * what made it fail, or null; reason and message may be null), and "request_id" where it has one. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "daemon/history.h"

#define RUNS_LIMIT 100U

static int get_status(const Ask *ask, unsigned *ret, Error *error)
{
	const char *status = ask_text(ask, "status");
	const char *names[HISTORY_CLASS_MAX + 2] = { [HISTORY_CLASS_MAX] = "unfinished", "recent" };
	const unsigned more[] = { HISTORY_UNFINISHED, HISTORY_ALL & ~HISTORY_UNFINISHED };
	const char *closest;

	if (!status)
		return 0;
	memcpy(names, history_statuses, sizeof(history_statuses));
	for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
		if (strcmp(status, names[i]) != 0)
			continue;
		*ret = i < HISTORY_CLASS_MAX ? HISTORY_BIT(i) : more[i - HISTORY_CLASS_MAX];
		return 0;
	}
	closest = text_closest(status, names, ELEMENTSOF(names));
	return error_set(error, ERROR_BAD_REQUEST, "/parameters/status",
			 "expected running, rectifying, queued, parked, succeeded, rectified, settled, refused, "
			 "unfinished or recent, got \"%.40s\"%s%s%s",
			 status, closest ? " (did you mean \"" : "", closest ? closest : "", closest ? "\"?)" : "");
}

/* \p ret stays as it is where the parameter is not there. */
static int get_number(const Ask *ask, const char *name, int64_t min, int64_t max, int64_t *ret, Error *error)
{
	int64_t number = ask_int(ask, name);

	if (!ask_has(ask, name))
		return 0;
	if (number < min || number > max)
		return error_set(error, ERROR_BAD_REQUEST, NULL,
				 "%s: expected a number from %" PRId64 " to %" PRId64 ", got %" PRId64, name, min, max,
				 number);
	*ret = number;
	return 0;
}

static int get_wish(const Ask *ask, History *history, Error *error)
{
	int64_t uid = -1, since = 0, limit = RUNS_LIMIT;
	int r;

	r = get_status(ask, &history->classes, error);
	if (r >= 0)
		r = get_number(ask, "uid", 0, UINT32_MAX - 1, &uid, error);
	if (r >= 0)
		r = get_number(ask, "since", 0, (int64_t)(INT64_MAX / USEC_PER_SEC), &since, error);
	if (r >= 0)
		r = get_number(ask, "limit", 1, HISTORY_MAX, &limit, error);
	if (r < 0)
		return r;
	history->program = ask_text(ask, "program");
	history->has_uid = uid >= 0;
	history->uid = (uint32_t)uid;
	history->since_usec = (uint64_t)since * USEC_PER_SEC;
	history->limit = (size_t)limit;
	return 0;
}

/* What others asked for does not exist for who is no operator. */
static void narrow(const Ask *ask, History *history)
{
	uint32_t own = ask->client->peer.uid;

	if (ask_is_operator(ask))
		return;
	if (history->has_uid && history->uid != own)
		history->classes = 0;
	history->has_uid = true;
	history->uid = own;
}

static int tell(const Ask *ask, History *history, struct json_object **ret, Error *error)
{
	Members members;
	int r;

	crew_look(ask->calls->crew);
	r = history_fill(history);
	if (r < 0)
		return ledger_trouble(ask->calls, r, error);
	members_begin(&members);
	members_add(&members, "runs", history_list(history));
	members_bool(&members, "more", history->more);
	return ask_result(&members, ret);
}

int call_runs(Ask *ask, struct json_object **ret, Error *error)
{
	_cleanup_free_ History *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return -ENOMEM;
	history->calls = ask->calls;
	history->classes = HISTORY_ALL;
	r = get_wish(ask, history, error);
	if (r >= 0)
		r = calls_check_store(ask->calls, error);
	if (r < 0)
		return r;
	narrow(ask, history);
	r = tell(ask, history, ret, error);
	history_done(history);
	return r;
}
