/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs, those in memory and those in the ledger, as the call `runs` tells of them: the running ones, then those that
 * wait, in the order of the queue, then the parked ones, then those that have ended, of both the newest first. Owned by
 * the call that asks. */
#pragma once

#include "daemon/calls_private.h"

#define HISTORY_MAX 1000U              /* runs in one list */
#define HISTORY_LOOK_MAX 10000U        /* ended runs that are looked through */
#define HISTORY_REPLY_MAX (16U << 10)  /* bytes; of a larger one the error's name alone is told */
#define HISTORY_REPLIES_MAX (2U << 20) /* of all that are read; then the list ends */

typedef enum HistoryClass {
	HISTORY_RUNNING,
	HISTORY_RECTIFYING,
	HISTORY_QUEUED,
	HISTORY_PARKED,
	HISTORY_SUCCEEDED,
	HISTORY_RECTIFIED,
	HISTORY_SETTLED,
	HISTORY_REFUSED,
	HISTORY_CLASS_MAX,
} HistoryClass;

#define HISTORY_BIT(class) (1U << (class))
#define HISTORY_UNFINISHED (HISTORY_BIT(HISTORY_PARKED + 1) - 1)
#define HISTORY_ALL (HISTORY_BIT(HISTORY_CLASS_MAX) - 1)

/** \brief What is told of one run. Borrowed. */
typedef struct HistoryEntry {
	const Id *run;
	const char *status, *program, *request_id;
	uint32_t uid, pid;
	uint64_t submitted_usec, begun_usec, ended_usec;
	uint32_t step, steps;
	const char *hook;
	ErrorCode error;
	struct json_object *reply; /* of one that has ended or is parked, or NULL */
} HistoryEntry;

typedef struct HistoryItem {
	struct json_object *object; /* owned */
	uint64_t ended_usec;
} HistoryItem;

/** \brief What is asked for, and what was found of it. */
typedef struct History {
	const Calls *calls;
	unsigned classes;    /* HISTORY_BIT() of those wanted */
	const char *program; /* or NULL: any */
	bool has_uid;
	uint32_t uid;
	uint64_t since_usec;
	size_t limit; /* at most HISTORY_MAX */
	HistoryItem items[HISTORY_MAX];
	size_t n, n_replies; /* items; bytes of replies that were read */
	bool more;           /* others fit, or may */
} History;

/** \brief The statuses' words, by class. */
extern const char *const history_statuses[HISTORY_CLASS_MAX];
/** \brief 0; 1: no more are wanted; -ENOMEM. */
int history_add(History *history, const HistoryEntry *entry);
/** \brief -ENOMEM, and what look-ups of the ledger return. */
int history_fill(History *history);
/** \brief A new list, of the items; NULL where memory is short. */
struct json_object *history_list(const History *history);
void history_done(History *history);
