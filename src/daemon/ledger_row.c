/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/ledger_private.h"

#include <errno.h>

int row_run(Statement *row, LedgerRun *ret)
{
	LedgerRun run = { .run = column_id(row) };
	const char *error;
	int64_t state = column_int(row);

	run.uid = (uint32_t)column_int(row);
	run.gid = (uint32_t)column_int(row);
	run.pid = (uint32_t)column_int(row);
	run.request_id = column_text(row);
	run.fingerprint = column_id(row);
	run.program = column_text(row);
	run.module = column_id(row);
	run.build_id = column_text(row);
	run.flags = (uint32_t)column_int(row);
	run.start_by_usec = (uint64_t)column_int(row);
	run.submitted_usec = (uint64_t)column_int(row);
	run.begun_usec = (uint64_t)column_int(row);
	run.ended_usec = (uint64_t)column_int(row);
	error = column_text(row);
	run.error = error ? error_from_name(error) : ERROR_NONE;
	run.step = (uint32_t)column_int(row);
	run.promised = column_int(row) != 0;
	run.reply_size = column_int(row) != 0;
	if (state < 0 || state >= LEDGER_STATE_MAX || id_is_null(&run.run))
		return -EUCLEAN;
	run.state = (LedgerState)state;
	*ret = run;
	return statement_error(row);
}

/* The blob and its checksum. 0: it is null. */
static int row_blob(Statement *row, const void **ret, size_t *ret_size)
{
	bool null = sqlite3_column_type(row->stmt, row->column) == SQLITE_NULL;
	size_t size;
	const void *data = column_blob(row, &size);
	uint32_t crc = (uint32_t)column_int(row);
	int r = statement_error(row);

	if (r < 0 || null)
		return r;
	if (crc32c(0, data ? data : "", size) != crc)
		return -EUCLEAN;
	*ret = data ? data : "";
	*ret_size = size;
	return 1;
}

int row_reply_if(Statement *row, LedgerRun *run)
{
	if (sqlite3_column_type(row->stmt, row->column) == SQLITE_NULL)
		run->reply_size = 0;
	return row_reply(row, run);
}

int row_reply(Statement *row, LedgerRun *run)
{
	const void *reply = NULL;
	bool replied = run->reply_size > 0;
	int r;

	run->reply_size = 0;
	r = row_blob(row, &reply, &run->reply_size);
	run->reply = reply;
	if (r < 0)
		return r;
	return (r > 0) == replied ? 0 : -EUCLEAN;
}

int row_submission(Statement *row, LedgerRun *run)
{
	int r = row_blob(row, &run->arguments, &run->arguments_size);

	run->has_arguments = r > 0;
	run->metadata = column_text(row);
	return r < 0 ? r : statement_error(row);
}

int row_records(Statement *row, LedgerRun *run)
{
	int r = row_blob(row, &run->records, &run->records_size);

	return MIN(r, 0);
}

int row_decision(Statement *row, LedgerDecision *ret)
{
	LedgerDecision decision = { .run = column_id(row) };
	int64_t verb;

	decision.step = (uint32_t)column_int(row);
	verb = column_int(row);
	decision.flags = (uint32_t)column_int(row);
	decision.uid = (uint32_t)column_int(row);
	decision.reason = column_text(row);
	decision.usec = (uint64_t)column_int(row);
	decision.done = column_int(row) != 0;
	if (verb < 0 || verb >= LEDGER_VERB_MAX)
		return -EUCLEAN;
	decision.verb = (LedgerVerb)verb;
	*ret = decision;
	return statement_error(row);
}
