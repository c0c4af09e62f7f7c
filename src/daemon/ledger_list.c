/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs, newest first: recent ones that are not known to be written, then those on the disk. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <string.h>

/* The same several times, so that few unfinished runs, and those of one user, are found among many. */
#define LIST(also)                                                                                                     \
	"SELECT " ROW_RUN ", " ROW_REPLY " FROM runs LEFT JOIN replies ON replies.number = runs.number AND ?1"         \
	" AND (?2 = 0 OR ((state = 1 OR error IS NOT NULL) AND length(replies.reply) <= ?2)) WHERE " also              \
	" (?3 >> state) & 1 AND (?4 IS NULL OR program = ?4) AND (NOT ?5 OR uid = ?6) AND max(submitted, ended) >= ?7" \
	" AND position > ?8 ORDER BY position DESC LIMIT ?9"

static const char *list_text(const LedgerFilter *filter)
{
	if (filter->states != 0 && (filter->states & ~LEDGER_BITS_UNFINISHED) == 0)
		return LIST("state IN (0, 1, 2) AND");
	return filter->has_uid ? LIST("uid = ?6 AND") : LIST("");
}

#define FLOOR " ORDER BY position DESC LIMIT 1 OFFSET ?1"

/* The position up to which, from the newest on, so many are looked at; 0: all are. */
static int64_t list_floor(Ledger *ledger, const LedgerFilter *filter)
{
	_cleanup_statement_ Statement row =
		sql_prepare(&ledger->reader, filter->has_uid ? "SELECT position FROM runs WHERE uid = ?2" FLOOR
							     : "SELECT position FROM runs" FLOOR);

	if (filter->look_max == 0)
		return 0;
	bind_int(&row, (int64_t)filter->look_max);
	if (filter->has_uid)
		bind_int(&row, filter->uid);
	return statement_step(&row) > 0 ? column_int(&row) : 0; /* where it fails, the list itself will */
}

bool ledger_list_cuts(Ledger *ledger, const LedgerFilter *filter)
{
	return list_floor(ledger, filter) > 0;
}

static size_t list_limit(const LedgerFilter *filter)
{
	return filter->limit == 0 ? LEDGER_LIST_MAX : MIN(filter->limit, (size_t)LEDGER_LIST_MAX);
}

static Statement list_prepare(Ledger *ledger, const LedgerFilter *filter)
{
	int64_t floor = list_floor(ledger, filter);
	Statement row = sql_prepare(&ledger->reader, list_text(filter));

	bind_int(&row, filter->replies);
	bind_int(&row, (int64_t)filter->reply_max);
	bind_int(&row, filter->states ? filter->states : ~0U);
	bind_text(&row, filter->program);
	bind_int(&row, filter->has_uid);
	bind_int(&row, filter->uid);
	bind_time(&row, filter->since_usec);
	bind_int(&row, floor);
	bind_int(&row, (int64_t)list_limit(filter));
	return row;
}

static int list_next(Statement *row, const LedgerFilter *filter, LedgerRun *ret)
{
	int r = statement_step(row);

	if (r <= 0)
		return r;
	r = row_run(row, ret);
	if (r == 0 && filter->replies)
		r = filter->reply_max ? row_reply_if(row, ret) : row_reply(row, ret);
	else
		ret->reply_size = 0;
	return r < 0 ? r : 1;
}

static bool list_wants(const LedgerFilter *filter, const LedgerRun *run)
{
	return ((filter->states ? filter->states : ~0U) & LEDGER_BIT(run->state)) &&
	       (!filter->program || (run->program && strcmp(filter->program, run->program) == 0)) &&
	       (!filter->has_uid || filter->uid == run->uid) &&
	       MAX(run->submitted_usec, run->ended_usec) >= filter->since_usec;
}

static void list_trim(const LedgerFilter *filter, LedgerRun *run)
{
	bool wanted = filter->replies &&
		      (filter->reply_max == 0 || (run->error != ERROR_NONE && run->reply_size <= filter->reply_max));

	if (!wanted)
		run->reply = NULL;
	if (!wanted)
		run->reply_size = 0;
}

static int list_recents(Ledger *ledger, const LedgerFilter *filter, LedgerOnRun on_run, void *context, size_t *n)
{
	Work *work, *next;
	int r;

	for (work = TAILQ_LAST(&ledger->recents, WorkList); work && *n < list_limit(filter); work = next) {
		LedgerRun run = work->run;

		next = TAILQ_PREV(work, WorkList, entry);
		if (!list_wants(filter, &run))
			continue;
		run.under_way = true;
		list_trim(filter, &run);
		(*n)++;
		r = on_run(context, &run);
		if (r != 0)
			return r;
	}
	return 0;
}

int ledger_list(Ledger *ledger, const LedgerFilter *filter, LedgerOnRun on_run, void *context)
{
	_cleanup_statement_ Statement row = list_prepare(ledger, filter);
	LedgerRun run = { 0 };
	size_t n = 0;
	int r;

	r = list_recents(ledger, filter, on_run, context, &n);
	if (r != 0)
		return r;
	while (n < list_limit(filter) && (r = list_next(&row, filter, &run)) > 0) {
		if (recents_have(ledger, &run.run))
			continue; /* just written: it was listed */
		n++;
		r = on_run(context, &run);
		if (r != 0)
			return r;
	}
	return ledger_looked(ledger, MIN(r, 0));
}

static int works_modules(const struct WorkList *works, int (*on_module)(void *context, const Id *module), void *context)
{
	const Work *work;
	int r = 0;

	TAILQ_FOREACH(work, works, entry)
	if (r == 0 && work_has_run(work) && !id_is_null(&work->run.module))
		r = on_module(context, &work->run.module);
	return r;
}

int ledger_modules(Ledger *ledger, int (*on_module)(void *context, const Id *module), void *context)
{
	_cleanup_statement_ Statement row = sql_use(&ledger->reader, "SELECT DISTINCT module FROM runs");
	int r, told = 0;

	while (told == 0 && (r = statement_step(&row)) > 0) {
		const Id module = column_id(&row);

		r = statement_error(&row);
		told = r < 0 ? r : on_module(context, &module);
	}
	if (told == 0 && r < 0)
		return ledger_looked(ledger, r);
	if (told == 0)
		told = works_modules(&ledger->works, on_module, context);
	return told == 0 ? works_modules(&ledger->recents, on_module, context) : told;
}
