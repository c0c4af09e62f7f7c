/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forgetting, on the ledger's thread: promises that have lapsed first, then runs that nothing is promised of (any
 * more). States below 3 have not ended. */
#include "daemon/ledger_private.h"

#include <errno.h>

typedef struct Forget {
	Sql *sql;
	bool promised;
	uint64_t keep, keep_usec;
	uint64_t now_usec;
	const char *const *changes; /* made to each that is beyond */
	size_t n_changes;
} Forget;

/* The newest position that is beyond the count. */
static int forget_bound(const Forget *forget, int64_t *ret)
{
	_cleanup_statement_ Statement row =
		sql_use(forget->sql, "SELECT position FROM runs WHERE promised = ? AND state >= 3"
				     " ORDER BY position DESC LIMIT 1 OFFSET ?");
	int r;

	*ret = 0;
	if (forget->keep == 0)
		return 0;
	bind_int(&row, forget->promised);
	bind_time(&row, forget->keep);
	r = statement_step(&row);
	if (r > 0)
		*ret = column_int(&row);
	return MIN(r, 0);
}

/* Up to \p max of those that are beyond, oldest first: how many. */
static int forget_find(const Forget *forget, int64_t numbers[], size_t max)
{
	_cleanup_statement_ Statement row =
		sql_use(forget->sql, "SELECT number FROM runs WHERE promised = ? AND state >= 3"
				     " AND (position <= ? OR ended < ?) ORDER BY position LIMIT ?");
	int64_t bound;
	int n = 0, r;

	r = forget_bound(forget, &bound);
	if (r < 0)
		return r;
	bind_int(&row, forget->promised);
	bind_int(&row, bound);
	bind_time(&row, forget->keep_usec > 0 && forget->now_usec > forget->keep_usec
				? forget->now_usec - forget->keep_usec
				: 0);
	bind_int(&row, (int64_t)max);
	while ((r = statement_step(&row)) > 0)
		numbers[n++] = column_int(&row);
	return r < 0 ? r : n;
}

static int forget_one(const Forget *forget, int64_t number)
{
	int r = 0;

	for (size_t i = 0; i < forget->n_changes && r == 0; i++) {
		Statement change = sql_use(forget->sql, forget->changes[i]);

		bind_int(&change, number);
		r = statement_finish(&change);
	}
	return r;
}

/* How many it was. */
static int forget_kind(const Forget *forget, size_t max)
{
	_cleanup_free_ int64_t *numbers = calloc(max + 1, sizeof(int64_t));
	int n, r = 0;

	if (!numbers)
		return -ENOMEM;
	n = max > 0 ? forget_find(forget, numbers, max) : 0;
	for (int i = 0; i < n && r == 0; i++)
		r = forget_one(forget, numbers[i]);
	return r < 0 ? r : n;
}

int forget_write(Sql *sql, Work *work)
{
	static const char *const lapse[] = {
		"DELETE FROM replies WHERE number = ?",
		"UPDATE runs SET promised = 0, request_id = NULL, replied = 0 WHERE number = ?",
	};
	static const char *const drop[] = { "DELETE FROM runs WHERE number = ?" };
	const LedgerRetention *retention = &work->forget.retention;
	const Forget replies = {
		sql, true, retention->replies, retention->replies_usec, work->forget.now_usec, lapse, ELEMENTSOF(lapse)
	};
	const Forget runs = { sql,  false,           retention->runs, retention->runs_usec, work->forget.now_usec,
			      drop, ELEMENTSOF(drop) };
	int n, r;

	n = forget_kind(&replies, LEDGER_FORGET_MAX);
	if (n < 0)
		return n;
	r = forget_kind(&runs, LEDGER_FORGET_MAX - (size_t)n);
	if (r < 0)
		return r;
	work->result = (unsigned)(n + r) >= LEDGER_FORGET_MAX;
	return 0;
}
