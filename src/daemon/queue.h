/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that wait to be ordered, first come, first served. It owns them. What a worker did not begin comes back to the
 * head. */
#pragma once

#include "daemon/run.h"

typedef struct Queue {
	struct RunList runs;
	size_t n;
	size_t n_limited; /* of them, those that have a `start_within` */
} Queue;

void queue_init(Queue *queue);
void queue_done(Queue *queue);
void queue_push(Queue *queue, Run *run);
/** \brief Puts all of \p runs, in their order, before everything that waits; the list is empty afterwards. */
void queue_return(Queue *queue, struct RunList *runs);
Run *queue_first(const Queue *queue);
/** \brief Takes the first out; NULL where there is none. */
Run *queue_pop(Queue *queue);
/** \brief Refuses those that were to have begun by now, with NotStarted. */
void queue_expire(Queue *queue, uint64_t now_usec);
/** \brief Refuses all that waits. */
void queue_refuse_all(Queue *queue, ErrorCode code, const char *message);
