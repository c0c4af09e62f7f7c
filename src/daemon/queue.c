/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/queue.h"

void queue_init(Queue *queue)
{
	*queue = (Queue){ 0 };
	TAILQ_INIT(&queue->runs);
}

void queue_done(Queue *queue)
{
	Run *run;

	while ((run = queue_pop(queue)))
		run_free(run);
}

void queue_push(Queue *queue, Run *run)
{
	TAILQ_INSERT_TAIL(&queue->runs, run, entry);
	queue->n++;
	if (run->start_by_usec)
		queue->n_limited++;
}

void queue_return(Queue *queue, struct RunList *runs)
{
	Run *run;

	while ((run = TAILQ_LAST(runs, RunList))) {
		TAILQ_REMOVE(runs, run, entry);
		TAILQ_INSERT_HEAD(&queue->runs, run, entry);
		queue->n++;
		if (run->start_by_usec)
			queue->n_limited++;
	}
}

Run *queue_first(const Queue *queue)
{
	return TAILQ_FIRST(&queue->runs);
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
	queue->n--;
	if (run->start_by_usec)
		queue->n_limited--;
	return run;
}

Run *queue_pop(Queue *queue)
{
	Run *run = queue_first(queue);

	return run ? queue_take(queue, run) : NULL;
}

static void queue_refuse(Queue *queue, Run *run, const Error *error)
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
	for (run = queue_first(queue); run; run = next) {
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
	for (run = queue_first(queue); run; run = next) {
		next = TAILQ_NEXT(run, entry);
		if (!run->submitted && !run->taken_up)
			queue_refuse(queue, run, &error);
		else if (code == ERROR_SHUTTING_DOWN)
			run_disappoint(run);
	}
}
