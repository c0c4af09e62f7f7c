/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MILLISECONDS 10000
#define OPEN_ATTEMPTS 1000

/* Money is in cents. Accounts whose names begin with '@' are the house's own: @world is the outside, @fees the income.
 * The rules that must hold whatever a hook does are the file's own. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS accounts ("
	" name TEXT PRIMARY KEY,"
	" balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0 OR substr(name, 1, 1) = '@'),"
	" closed INTEGER NOT NULL DEFAULT 0"
	") STRICT, WITHOUT ROWID;"
	/* What each call has done, under the call's token. A repeat finds it; an undo names what it undoes, once. */
	"CREATE TABLE IF NOT EXISTS entries ("
	" token TEXT PRIMARY KEY,"
	" kind TEXT NOT NULL,"
	" time INTEGER NOT NULL DEFAULT (unixepoch()),"
	" undoes TEXT UNIQUE REFERENCES entries (token)"
	") STRICT, WITHOUT ROWID;"
	/* The postings of an entry sum to zero, and so do all together. */
	"CREATE TABLE IF NOT EXISTS postings ("
	" id INTEGER PRIMARY KEY,"
	" token TEXT NOT NULL REFERENCES entries (token),"
	" account TEXT NOT NULL REFERENCES accounts (name),"
	" amount INTEGER NOT NULL,"
	" UNIQUE (token, account)"
	") STRICT;"
	"CREATE INDEX IF NOT EXISTS postings_of_account ON postings (account, id);"
	"CREATE TRIGGER IF NOT EXISTS posting_to_closed_account BEFORE INSERT ON postings"
	" WHEN (SELECT closed FROM accounts WHERE name = new.account)"
	" BEGIN SELECT raise(ABORT, 'the account is closed'); END;"
	"CREATE TRIGGER IF NOT EXISTS posting_changes_balance AFTER INSERT ON postings"
	" BEGIN UPDATE accounts SET balance = balance + new.amount WHERE name = new.account; END;"
	"INSERT OR IGNORE INTO accounts (name) VALUES ('@world'), ('@fees');";

static sqlite3 *db;

/* $WALLET_DB, or wallet.sqlite where the service keeps its state. */
static int find_path(char *path, size_t size)
{
	const char *given = getenv("WALLET_DB");
	const char *state = getenv("STATE_DIRECTORY");
	int n;

	if (given && *given)
		n = snprintf(path, size, "%s", given);
	else if (state && *state)
		n = snprintf(path, size, "%.*s/wallet.sqlite", (int)strcspn(state, ":"), state);
	else
		return -1;
	return n > 0 && (size_t)n < size ? 0 : -1;
}

static int execute(const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The first to open a new file makes it a WAL; SQLite does not wait for that lock of its own accord. */
static int enter_wal(void)
{
	int r = SQLITE_BUSY;

	for (unsigned i = 0; r == SQLITE_BUSY && i < OPEN_ATTEMPTS; i++) {
		r = execute("PRAGMA journal_mode = WAL");
		if (r == SQLITE_BUSY)
			sqlite3_sleep(BUSY_MILLISECONDS / OPEN_ATTEMPTS);
	}
	return r;
}

static int prepare_file(void)
{
	int r;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MILLISECONDS);
	r = enter_wal();
	if (r == SQLITE_OK)
		r = execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE");
	if (r == SQLITE_OK)
		r = execute(schema);
	return r == SQLITE_OK ? execute("COMMIT") : r;
}

int ryuso_module_open(char *message, size_t message_size)
{
	char path[4096];
	int r;

	if (find_path(path, sizeof(path)) < 0) {
		snprintf(message, message_size, "where is the wallet? set WALLET_DB to the path of its file");
		return -1;
	}
	r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK)
		r = prepare_file();
	if (r == SQLITE_OK)
		return 0;
	snprintf(message, message_size, "cannot use %s: %s", path, db ? sqlite3_errmsg(db) : sqlite3_errstr(r));
	ryuso_module_close();
	return -1;
}

void ryuso_module_close(void)
{
	sqlite3_close(db);
	db = NULL;
}

ryuso_status store_failed(ryuso_run *run)
{
	switch (sqlite3_extended_errcode(db)) {
	case SQLITE_CONSTRAINT_CHECK:
		return ryuso_fail(run, "InsufficientFunds", "an account would be overdrawn");
	case SQLITE_CONSTRAINT_TRIGGER:
		return ryuso_fail(run, "AccountClosed", "%s", sqlite3_errmsg(db));
	default:
		return ryuso_fail(run, "StoreFailed", "%s", sqlite3_errmsg(db));
	}
}

/* Whether a failed commit has taken effect, only the next one who opens the file can tell. */
static ryuso_status commit(ryuso_run *run)
{
	if (execute("COMMIT") == SQLITE_OK)
		return RYUSO_OK;
	return ryuso_unknown(run, "StoreFailed", "cannot commit: %s", sqlite3_errmsg(db));
}

static ryuso_status transaction(ryuso_run *run, const char *begin, store_function *function, void *userdata)
{
	ryuso_status status;

	if (execute(begin) != SQLITE_OK)
		return store_failed(run);
	status = function(run, userdata);
	if (status == RYUSO_OK)
		status = commit(run);
	if (!sqlite3_get_autocommit(db))
		execute("ROLLBACK");
	return status;
}

ryuso_status store_write(ryuso_run *run, store_function *function, void *userdata)
{
	return transaction(run, "BEGIN IMMEDIATE", function, userdata);
}

ryuso_status store_read(ryuso_run *run, store_function *function, void *userdata)
{
	return transaction(run, "BEGIN", function, userdata);
}

static int bind(sqlite3_stmt *statement, const char *types, va_list values)
{
	int r = SQLITE_OK;

	for (int i = 0; types[i] && r == SQLITE_OK; i++) {
		if (types[i] == 't')
			r = sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
	}
	return r;
}

static sqlite3_stmt *prepare(const char *sql, const char *types, va_list values)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return NULL;
	if (bind(statement, types, values) == SQLITE_OK)
		return statement;
	sqlite3_finalize(statement);
	return NULL;
}

sqlite3_stmt *store_prepare(const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list values;

	va_start(values, types);
	statement = prepare(sql, types, values);
	va_end(values);
	return statement;
}

ryuso_status store_change(ryuso_run *run, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list values;
	int r = SQLITE_ERROR;

	va_start(values, types);
	statement = prepare(sql, types, values);
	va_end(values);
	if (statement)
		r = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return r == SQLITE_DONE ? RYUSO_OK : store_failed(run);
}

ryuso_status store_number(ryuso_run *run, int64_t *ret, bool *ret_found, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list values;
	int r = SQLITE_ERROR;

	va_start(values, types);
	statement = prepare(sql, types, values);
	va_end(values);
	if (statement)
		r = sqlite3_step(statement);
	*ret_found = r == SQLITE_ROW;
	if (*ret_found)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return r == SQLITE_ROW || r == SQLITE_DONE ? RYUSO_OK : store_failed(run);
}
