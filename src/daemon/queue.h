/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that wait to be ordered. It owns them. Runs that were parked, and that an operator has decided about, come first;
 * behind them users take turns, one run each, whoever they are and however many wait. Runs of one user leave in the order
 * in which they came. What a worker did not begin comes back to the head. */
#pragma once

#include "daemon/turns.h"

typedef struct Queue {
	struct RunList runs;    /* all of them; those that were parked first, the others as they came */
	Turns turns;            /* of those others */
	const Catalog *catalog; /* borrowed; of the module in use, or NULL */
	bool stale;             /* there may be runs that have not begun, of a catalog that is not in use any more */
	size_t n;
	size_t n_limited;                                            /* of them, those that have a `start_within` */
	void (*on_refused)(Run *run, ErrorCode code, void *context); /* before it is answered and freed; or NULL */
	void *context;
} Queue;

void queue_init(Queue *queue);
void queue_done(Queue *queue);
void queue_push(Queue *queue, Run *run);
/** \brief Puts all of \p runs, in their order, before what else their users wait for, and those users before the
 * others; the list is empty afterwards. */
void queue_return(Queue *queue, struct RunList *runs);
/** \brief A run of the user has begun after all that waits had come: its turn is over. */
void queue_pass(Queue *queue, uid_t uid);
Run *queue_first(const Queue *queue);
/** \brief Takes the first out; NULL where there is none. Its user's turn is over. */
Run *queue_pop(Queue *queue);
/** \brief All that wait, in the order in which they leave if nothing more comes: a new array of n, of borrowed runs. NULL
 * where memory is short. */
Run **queue_order(const Queue *queue);
/** \brief The run of that id, or NULL. */
Run *queue_find(const Queue *queue, const Id *id);
/** \brief Takes \p run, which is in it, out. */
Run *queue_take(Queue *queue, Run *run);
/** \brief Refuses \p run, which is in it. */
void queue_refuse(Queue *queue, Run *run, const Error *error);
/** \brief Refuses those that were to have begun by now, with NotStarted; submissions, too. */
void queue_expire(Queue *queue, uint64_t now_usec);
/** \brief Refuses what waits, save submissions and what has begun before: they stay. Where that is for SHUTTING_DOWN,
 * the clients that wait for those learn by the end of their connection that it is not known yet what becomes of them.
 */
void queue_refuse_plain(Queue *queue, ErrorCode code, const char *message);
