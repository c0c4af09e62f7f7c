/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an account's history: a hook that changes nothing, and returns a list. */
#include <json-c/json.h>

#include "gen/wallet.h"
#include "journal.h"
#include "store.h"

#define LIMIT_MAX 1000

struct statement {
	const struct statement_read_args *args;
	int64_t balance;
	struct json_object *postings; /* owned */
};

static int add_member(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return 0;
	json_object_put(value);
	return -1;
}

static int add_posting(struct json_object *postings, sqlite3_stmt *row)
{
	struct json_object *posting = json_object_new_object();

	if (posting && add_member(posting, "time", json_object_new_int64(sqlite3_column_int64(row, 0))) == 0 &&
	    add_member(posting, "kind", json_object_new_string((const char *)sqlite3_column_text(row, 1))) == 0 &&
	    add_member(posting, "amount", json_object_new_int64(sqlite3_column_int64(row, 2))) == 0 &&
	    add_member(posting, "token", json_object_new_string((const char *)sqlite3_column_text(row, 3))) == 0 &&
	    json_object_array_add(postings, posting) == 0)
		return 0;
	json_object_put(posting);
	return -1;
}

static ryuso_status add_postings(ryuso_run *run, struct statement *statement)
{
	sqlite3_stmt *rows = store_prepare("SELECT time, kind, amount, token FROM postings JOIN entries USING (token)"
					   " WHERE account = ? ORDER BY id DESC LIMIT ?",
					   "ti", statement->args->account, statement->args->limit);
	ryuso_status status = RYUSO_OK;
	int r = SQLITE_ERROR;

	while (rows && status == RYUSO_OK && (r = sqlite3_step(rows)) == SQLITE_ROW)
		if (add_posting(statement->postings, rows) < 0)
			status = ryuso_fail(run, "OutOfMemory", "the statement is too long for this machine");
	if (status == RYUSO_OK && r != SQLITE_DONE)
		status = store_failed(run);
	sqlite3_finalize(rows);
	return status;
}

static ryuso_status read_all(ryuso_run *run, void *userdata)
{
	struct statement *statement = userdata;
	ryuso_status status;

	status = journal_check_account(run, statement->args->account);
	if (status == RYUSO_OK)
		status = journal_balance(run, statement->args->account, &statement->balance);
	if (status == RYUSO_OK)
		status = add_postings(run, statement);
	return status;
}

ryuso_status statement_read(ryuso_run *run, const struct statement_read_args *args, struct statement_read_outputs *out)
{
	struct statement statement = { .args = args };
	ryuso_status status;

	if (args->limit < 1 || args->limit > LIMIT_MAX)
		return ryuso_fail(run, "BadLimit", "expected a limit from 1 to %d, got %" PRId64, LIMIT_MAX,
				  args->limit);
	statement.postings = json_object_new_array();
	if (!statement.postings)
		return ryuso_fail(run, "OutOfMemory", "no memory for a statement");
	status = store_read(run, read_all, &statement);
	if (status == RYUSO_OK) {
		statement_read_set_balance(out, statement.balance);
		if (statement_read_set_postings(out, statement.postings) < 0)
			status = ryuso_fail(run, "TooLong",
					    "the statement is too long: ask for less than %" PRId64 " postings",
					    args->limit);
	}
	json_object_put(statement.postings);
	return status;
}
