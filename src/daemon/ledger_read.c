/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Look-ups, on the main thread, through a connection of its own that only reads. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <string.h>

void ledger_found_done(LedgerFound *found)
{
	free(found->memory);
	*found = (LedgerFound){ 0 };
}

int ledger_looked(Ledger *ledger, int r)
{
	if (r == -EUCLEAN) {
		int code = sqlite3_errcode(ledger->reader.db) & 0xff;
		bool sql = code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;

		ledger_damaged(ledger, sql ? sql_message(&ledger->reader) : "a value in it is not what was written");
	}
	return r;
}

/* A copy that is the caller's own, of what look-ups by id hand out. */
static int found_keep(LedgerRun *run, LedgerFound *ret)
{
	size_t size;
	uint8_t *memory;

	run->arguments = NULL;
	run->metadata = NULL;
	run->records = NULL;
	run->arguments_size = run->records_size = 0;
	run->has_arguments = false;
	size = run_packed_size(run);
	if (size == 0)
		return -EUCLEAN; /* nothing that large was ever written */
	memory = malloc(size);
	if (!memory)
		return -ENOMEM;
	run_pack(run, memory);
	*ret = (LedgerFound){ .run = *run, .memory = memory };
	return 0;
}

#define FIND "SELECT " ROW_RUN ", " ROW_REPLY " FROM runs LEFT JOIN replies USING (number) WHERE "

/* 1: the row is there. */
static int row_find(Statement *row, LedgerRun *ret)
{
	int r = statement_step(row);

	if (r <= 0)
		return r;
	r = row_run(row, ret);
	if (r == 0)
		r = row_reply(row, ret);
	return r < 0 ? r : 1;
}

static Statement row_of_run(Ledger *ledger, const Id *run)
{
	Statement row = sql_use(&ledger->reader, FIND "run = ?");

	bind_id(&row, run);
	return row;
}

int ledger_find(Ledger *ledger, const Id *run, LedgerFound *ret)
{
	_cleanup_statement_ Statement row = row_of_run(ledger, run);
	LedgerRun found = { 0 };
	int r;

	r = ledger_looked(ledger, row_find(&row, &found));
	if (r < 0)
		return r;
	return works_overlay(ledger, run, &found, r > 0) ? found_keep(&found, ret) : -ENOENT;
}

static Statement row_of_request(Ledger *ledger, uint32_t uid, const char *request_id)
{
	Statement row = sql_use(&ledger->reader, FIND "uid = ? AND request_id = ?");

	bind_int(&row, uid);
	bind_text(&row, request_id);
	return row;
}

/* The id was set free again by a refusal, of which nothing else tells yet. */
static bool found_free(const LedgerFound *found)
{
	return found->run.state == LEDGER_REFUSED;
}

/* Among works that bring the request id itself: the first that still stands. */
static int find_under_way(Ledger *ledger, uint32_t uid, const char *request_id, LedgerFound *ret)
{
	for (Work *work = works_first_request(ledger, uid, request_id); work; work = TAILQ_NEXT(work, request_entry)) {
		LedgerFound found;
		int r;

		if (!work_brings(work, uid, request_id))
			continue;
		r = ledger_find(ledger, &work->run.run, &found);
		if (r < 0)
			return r;
		if (!found_free(&found)) {
			*ret = found;
			return 0;
		}
		ledger_found_done(&found);
	}
	return -ENOENT;
}

int ledger_find_request(Ledger *ledger, uint32_t uid, const char *request_id, LedgerFound *ret)
{
	_cleanup_statement_ Statement row = row_of_request(ledger, uid, request_id);
	LedgerRun run = { 0 };
	LedgerFound found;
	int r;

	r = ledger_looked(ledger, row_find(&row, &run));
	if (r < 0)
		return r;
	if (r == 0)
		return find_under_way(ledger, uid, request_id, ret);
	(void)works_overlay(ledger, &run.run, &run, true);
	r = found_keep(&run, &found);
	if (r < 0)
		return r;
	if (!found_free(&found)) {
		*ret = found;
		return 0;
	}
	ledger_found_done(&found);
	return find_under_way(ledger, uid, request_id, ret);
}

int ledger_take(Ledger *ledger, LedgerOnRun on_run, void *context)
{
	_cleanup_statement_ Statement row =
		sql_prepare(&ledger->reader, "SELECT " ROW_RUN ", " ROW_SUBMISSION
					     " FROM runs JOIN submissions USING (number) WHERE state = 0"
					     " ORDER BY position");
	int r;

	while ((r = statement_step(&row)) > 0) {
		LedgerRun run = { 0 };

		r = row_run(&row, &run);
		run.reply_size = 0;
		if (r == 0)
			r = row_submission(&row, &run);
		if (r < 0)
			break;
		r = on_run(context, &run);
		if (r != 0)
			return r;
	}
	return ledger_looked(ledger, r);
}

int ledger_unpark(Ledger *ledger, const Id *run, LedgerOnRun on_run, void *context)
{
	_cleanup_statement_ Statement row = sql_prepare(
		&ledger->reader, "SELECT " ROW_RUN ", " ROW_REPLY ", " ROW_RECORDS
				 " FROM runs LEFT JOIN replies USING (number) LEFT JOIN parked USING (number)"
				 " WHERE run = ?");
	LedgerRun found = { 0 };
	int r;

	bind_id(&row, run);
	r = row_find(&row, &found);
	if (r > 0 && found.state == LEDGER_PARKED)
		r = row_records(&row, &found);
	else if (r >= 0)
		return r > 0 ? -ESTALE : -ENOENT;
	if (r == 0 && !found.records)
		r = -EUCLEAN;
	return r < 0 ? ledger_looked(ledger, r) : on_run(context, &found);
}

#define DECISIONS                                                                                      \
	"SELECT runs.run, decisions.step, verb, decisions.flags, decisions.uid, reason, decided, done" \
	" FROM decisions JOIN runs USING (number) WHERE "

int ledger_decisions(Ledger *ledger, const Id *run, LedgerOnDecision on_decision, void *context)
{
	_cleanup_statement_ Statement row = sql_prepare(&ledger->reader, run ? DECISIONS "run = ? ORDER BY decision"
									     : DECISIONS "done = 0 ORDER BY decision");
	int r;

	if (run)
		bind_id(&row, run);
	while ((r = statement_step(&row)) > 0) {
		LedgerDecision decision;

		r = row_decision(&row, &decision);
		if (r < 0)
			break;
		r = on_decision(context, &decision);
		if (r != 0)
			return r;
	}
	return ledger_looked(ledger, r);
}

int ledger_counts(Ledger *ledger, LedgerCounts *ret)
{
	_cleanup_statement_ Statement row = sql_use(&ledger->reader, "SELECT state, count(*) FROM runs GROUP BY state");
	LedgerCounts counts = { 0 };
	int r;

	while ((r = statement_step(&row)) > 0) {
		int64_t state = column_int(&row);

		if (state >= 0 && state < LEDGER_STATE_MAX)
			counts.runs[state] = (uint64_t)column_int(&row);
	}
	if (r < 0)
		return ledger_looked(ledger, r);
	pthread_mutex_lock(&ledger->mutex);
	counts.recent_dropped = ledger->n_dropped;
	counts.works = ledger->n_written;
	counts.works_failed = ledger->n_failed;
	counts.commits = ledger->n_commits;
	pthread_mutex_unlock(&ledger->mutex);
	*ret = counts;
	return 0;
}

void ledger_unfinished(Ledger *ledger, uint64_t ret[static LEDGER_UNFINISHED])
{
	pthread_mutex_lock(&ledger->mutex);
	memcpy(ret, ledger->n_unfinished, sizeof(ledger->n_unfinished));
	pthread_mutex_unlock(&ledger->mutex);
}

int ledger_held(Ledger *ledger, LedgerHold *ret)
{
	_cleanup_statement_ Statement row = sql_use(&ledger->reader, "SELECT held, uid, reason, decided FROM hold");
	LedgerHold hold = { 0 };
	const char *reason;
	char *copy = NULL;
	int r;

	r = statement_step(&row);
	if (r > 0) {
		hold.held = column_int(&row) != 0;
		hold.uid = (uint32_t)column_int(&row);
		reason = column_text(&row);
		hold.usec = (uint64_t)column_int(&row);
		r = statement_error(&row);
		copy = reason ? strdup(reason) : NULL;
		if (r == 0 && reason && !copy)
			r = -ENOMEM;
	}
	if (r < 0)
		return ledger_looked(ledger, r);
	free(ledger->hold_reason);
	hold.reason = ledger->hold_reason = copy;
	*ret = hold;
	return 0;
}
