/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/queue.h"

void queue_init(Queue *queue)
{
	*queue = (Queue){ 0 };
	TAILQ_INIT(&queue->runs);
	turns_init(&queue->turns);
}

void queue_done(Queue *queue)
{
	Run *run;

	while ((run = queue_pop(queue)))
		run_free(run);
}

static void queue_count(Queue *queue, const Run *run)
{
	queue->n++;
	if (run->start_by_usec)
		queue->n_limited++;
	if (queue->catalog && run->catalog != queue->catalog && !run->taken_up)
		queue->stale = true;
}

/* The first that was not parked. */
static Run *first_plain(const Queue *queue)
{
	Run *run = TAILQ_FIRST(&queue->runs);

	while (run && run->taken_up)
		run = TAILQ_NEXT(run, entry);
	return run;
}

static void insert_before_plain(Queue *queue, Run *run)
{
	Run *first = first_plain(queue);

	if (first)
		TAILQ_INSERT_BEFORE(first, run, entry);
	else
		TAILQ_INSERT_TAIL(&queue->runs, run, entry);
}

void queue_push(Queue *queue, Run *run)
{
	if (run->taken_up) {
		insert_before_plain(queue, run);
	} else {
		TAILQ_INSERT_TAIL(&queue->runs, run, entry);
		turns_add(&queue->turns, run);
	}
	queue_count(queue, run);
}

void queue_return(Queue *queue, struct RunList *runs)
{
	Run *run;

	while ((run = TAILQ_LAST(runs, RunList))) {
		TAILQ_REMOVE(runs, run, entry);
		if (run->taken_up) {
			TAILQ_INSERT_HEAD(&queue->runs, run, entry);
		} else {
			insert_before_plain(queue, run);
			turns_return(&queue->turns, run);
		}
		queue_count(queue, run);
	}
}

void queue_pass(Queue *queue, uid_t uid)
{
	turns_pass(&queue->turns, uid);
}

Run *queue_first(const Queue *queue)
{
	Run *run = TAILQ_FIRST(&queue->runs);

	return run && run->taken_up ? run : turns_first(&queue->turns);
}

Run **queue_order(const Queue *queue)
{
	Run **order = calloc(2 * MAX(queue->n, 1U), sizeof(*order)), **turn = order + queue->n;
	size_t n = 0, n_users = 0;
	Run *run;

	if (!order)
		return NULL;
	for (run = TAILQ_FIRST(&queue->runs); run && run->taken_up; run = TAILQ_NEXT(run, entry))
		order[n++] = run;
	for (run = turns_first(&queue->turns); run; run = turns_next(run))
		turn[n_users++] = run;
	while (n_users > 0) { /* in each round, those who have a run left */
		size_t left = 0;

		for (size_t i = 0; i < n_users; i++) {
			order[n++] = turn[i];
			if (turn[i]->seat.next)
				turn[left++] = turn[i]->seat.next;
		}
		n_users = left;
	}
	return order;
}

Run *queue_find(const Queue *queue, const Id *id)
{
	Run *run;

	TAILQ_FOREACH(run, &queue->runs, entry)
	{
		if (id_equal(&run->id, id))
			return run;
	}
	return NULL;
}

Run *queue_take(Queue *queue, Run *run)
{
	TAILQ_REMOVE(&queue->runs, run, entry);
	if (!run->taken_up)
		turns_take(&queue->turns, run);
	queue->n--;
	if (run->start_by_usec)
		queue->n_limited--;
	return run;
}

Run *queue_pop(Queue *queue)
{
	Run *run = queue_first(queue);

	if (!run)
		return NULL;
	queue_take(queue, run);
	if (!run->taken_up)
		turns_pass(&queue->turns, run->peer.uid);
	return run;
}

void queue_refuse(Queue *queue, Run *run, const Error *error)
{
	queue_take(queue, run);
	if (queue->on_refused)
		queue->on_refused(run, error->code, queue->context);
	run_refuse(run, error);
}

void queue_expire(Queue *queue, uint64_t now_usec)
{
	_cleanup_error_ Error error = { 0 };
	Run *run, *next;

	if (queue->n_limited == 0)
		return;
	error_set(&error, ERROR_NOT_STARTED, NULL, "the run had not begun within `start_within`; nothing ran");
	for (run = TAILQ_FIRST(&queue->runs); run; run = next) {
		next = TAILQ_NEXT(run, entry);
		if (run->start_by_usec && run->start_by_usec <= now_usec && !run->taken_up)
			queue_refuse(queue, run, &error);
	}
}

void queue_refuse_plain(Queue *queue, ErrorCode code, const char *message)
{
	_cleanup_error_ Error error = { 0 };
	Run *run, *next;

	if (queue->n == 0)
		return;
	error_set(&error, code, NULL, "%s", message);
	for (run = TAILQ_FIRST(&queue->runs); run; run = next) {
		next = TAILQ_NEXT(run, entry);
		if (!run->submitted && !run->taken_up)
			queue_refuse(queue, run, &error);
		else if (code == ERROR_SHUTTING_DOWN)
			run_disappoint(run);
	}
}
