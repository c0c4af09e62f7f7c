/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/promises.h"

#include <errno.h>
#include <poll.h>
#include <search.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/promises_private.h"

static void on_queue_refused(Run *run, ErrorCode code, void *context)
{
	Promises *promises = context;

	if (run->submitted)
		promises_refused(promises, run, code);
	promises_leave(promises, run);
}

void promises_init(Promises *promises, const Config *config, Queue *queue)
{
	*promises = (Promises){ .config = config, .queue = queue };
	TAILQ_INIT(&promises->promising);
	TAILQ_INIT(&promises->refusals);
	queue->on_refused = on_queue_refused;
	queue->context = promises;
}

static void promises_count(Promises *promises)
{
	uint64_t counts[LEDGER_UNFINISHED];

	ledger_unfinished(promises->ledger, counts);
	promises->n_parked = counts[LEDGER_PARKED];
	promises->n_submitted = counts[LEDGER_QUEUED];
}

/* What is under way comes to its end, well or not; nothing new begins. */
void promises_close(Promises *promises)
{
	struct pollfd ready = { .fd = promises_fd(promises), .events = POLLIN };

	promises->closing = true;
	if (!promises->ledger)
		return;
	while (ledger_under_way(promises->ledger) > 0)
		if (poll(&ready, 1, -1) == 1)
			promises_dispatch(promises);
	ledger_close(promises->ledger);
	promises->ledger = NULL;
}

static void index_node_free(void *node)
{
	(void)node; /* a run, which is its owner's */
}

void promises_done(Promises *promises)
{
	promises_close(promises);
	promises_free_refusals(promises);
	tdestroy(promises->index, index_node_free);
	free(promises->problem);
	*promises = (Promises){ 0 };
	TAILQ_INIT(&promises->promising);
	TAILQ_INIT(&promises->refusals);
}

int promises_open(Promises *promises, const char *directory, const Id *machine)
{
	LedgerHold hold = { 0 };
	int r;

	free(take_ptr(promises->problem));
	r = ledger_open(directory, machine, &promises->ledger, &promises->problem);
	if (r < 0)
		return r;
	r = ledger_held(promises->ledger, &hold);
	if (r < 0) {
		promises->ledger = ledger_close(promises->ledger);
		return r;
	}
	promises->held = hold.held;
	promises->forget_at_usec = 0;
	promises_count(promises);
	return 0;
}

int promises_fd(const Promises *promises)
{
	return promises->ledger ? ledger_fd(promises->ledger) : -EBADF;
}

/* Said once; what waits stays in memory and in the recorder. */
static void promises_look(Promises *promises)
{
	const char *problem = ledger_problem(promises->ledger);

	if (!problem || promises->problem)
		return;
	promises->problem = strdup(problem);
	log_line(LOG_CRIT, "%s", problem);
}

void promises_dispatch(Promises *promises)
{
	if (!promises->ledger)
		return;
	promises_look(promises);
	ledger_dispatch(promises->ledger);
	promises_look(promises);
	promises_count(promises);
	if (promises->on_change)
		promises->on_change(promises->context);
}

const char *promises_problem(const Promises *promises)
{
	return promises->problem;
}

static void promises_forget(Promises *promises);

static void on_forgotten(void *context, int r)
{
	Promises *promises = context;

	promises->forgetting = false;
	if (r > 0 && !promises->closing)
		promises_forget(promises);
}

static void promises_forget(Promises *promises)
{
	const Config *config = promises->config;
	const LedgerRetention retention = {
		.runs = config->keep_runs,
		.runs_usec = config->keep_runs_time,
		.replies = config->keep_replies,
		.replies_usec = config->keep_replies_time,
	};

	/* where it does not begin, or fails: in a minute there will be another */
	if (ledger_forget(promises->ledger, &retention, clock_realtime(), on_forgotten, promises) == 0)
		promises->forgetting = true;
}

void promises_check(Promises *promises, uint64_t now_usec)
{
	if (!promises->ledger || promises->problem)
		return;
	if (now_usec >= promises->forget_at_usec && !promises->forgetting) {
		promises->forget_at_usec = now_usec + PROMISES_FORGET_USEC;
		promises_forget(promises);
	}
	if (promises->refuse_at_usec != 0 && now_usec >= promises->refuse_at_usec)
		promises_refuse_again(promises);
}

static int index_compare(const void *a, const void *b)
{
	const Run *first = a, *second = b;

	if (first->peer.uid != second->peer.uid)
		return first->peer.uid < second->peer.uid ? -1 : 1;
	return strcmp(first->request_id, second->request_id);
}

static Run *index_find(const Promises *promises, uint32_t uid, const char *request_id)
{
	const Run key = { .peer.uid = uid, .request_id = (char *)request_id };
	Run *const *node = tfind(&key, &promises->index, index_compare);

	return node ? *node : NULL;
}

int promises_enter(Promises *promises, Run *run)
{
	Run *const *node = tsearch(run, &promises->index, index_compare);

	if (!node)
		return -ENOMEM;
	return *node == run ? 0 : -EEXIST;
}

void promises_leave(Promises *promises, Run *run)
{
	if (run->request_id && index_find(promises, run->peer.uid, run->request_id) == run)
		tdelete(run, &promises->index, index_compare);
}

void promise_done(Promise *promise)
{
	ledger_found_done(&promise->found);
	*promise = (Promise){ 0 };
}

/* Only what the disk holds to stay, with its reply, is answered with; all else would be in memory. */
static PromiseKind promise_kind(const LedgerRun *run, const Id *fingerprint)
{
	if (!id_equal(&run->fingerprint, fingerprint))
		return PROMISE_OTHER;
	if (run->under_way || !run->reply)
		return PROMISE_LATER;
	return ledger_state_ended(run->state) || run->state == LEDGER_PARKED ? PROMISE_ENDED : PROMISE_LATER;
}

int promises_find(Promises *promises, uint32_t uid, const char *request_id, const Id *fingerprint, Promise *ret)
{
	Promise promise = { .run = index_find(promises, uid, request_id) };
	int r;

	if (promise.run) {
		promise.kind = id_equal(&promise.run->fingerprint, fingerprint) ? PROMISE_RUN : PROMISE_OTHER;
		*ret = promise;
		return 0;
	}
	r = promises->ledger ? ledger_find_request(promises->ledger, uid, request_id, &promise.found) : -ENOENT;
	if (r < 0 && r != -ENOENT)
		return r;
	promise.kind = r < 0 ? PROMISE_NONE : promise_kind(&promise.found.run, fingerprint);
	*ret = promise;
	return 0;
}

int promises_take(Promises *promises, LedgerOnRun on_run, void *context)
{
	return ledger_take(promises->ledger, on_run, context);
}
