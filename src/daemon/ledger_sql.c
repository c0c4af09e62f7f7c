/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/ledger_sql.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"

static const struct {
	int code; /* extended, or primary where no extended one is here */
	int error;
} sql_errors[] = {
	{ SQLITE_IOERR_NOMEM, ENOMEM },
	{ SQLITE_IOERR_CORRUPTFS, EUCLEAN },
	{ SQLITE_CONSTRAINT_UNIQUE, EEXIST },
	{ SQLITE_NOMEM, ENOMEM },
	{ SQLITE_FULL, ENOSPC },
	{ SQLITE_CORRUPT, EUCLEAN },
	{ SQLITE_NOTADB, EUCLEAN },
	{ SQLITE_FORMAT, EUCLEAN },
	{ SQLITE_ERROR, EUCLEAN },
	{ SQLITE_MISMATCH, EUCLEAN },
	{ SQLITE_CONSTRAINT, EUCLEAN },
	{ SQLITE_SCHEMA, EUCLEAN },
	{ SQLITE_BUSY, EBUSY },
	{ SQLITE_LOCKED, EBUSY },
	{ SQLITE_PROTOCOL, EBUSY },
	{ SQLITE_READONLY, EROFS },
	{ SQLITE_PERM, EACCES },
	{ SQLITE_AUTH, EACCES },
	{ SQLITE_TOOBIG, E2BIG },
	{ SQLITE_INTERRUPT, EINTR },
	{ SQLITE_MISUSE, EINVAL },
	{ SQLITE_RANGE, EINVAL },
};

static int sql_find_errno(int code)
{
	for (size_t i = 0; i < ELEMENTSOF(sql_errors); i++)
		if (sql_errors[i].code == code)
			return -sql_errors[i].error;
	return 0;
}

int sql_errno(const Sql *sql, int code)
{
	int extended = sql->db ? sqlite3_extended_errcode(sql->db) : code, r, system;

	if ((extended & 0xff) != (code & 0xff))
		extended = code;
	r = sql_find_errno(extended);
	if (r == 0)
		r = sql_find_errno(code & 0xff);
	if (r < 0)
		return r;
	system = sql->db ? sqlite3_system_errno(sql->db) : 0;
	if ((code & 0xff) == SQLITE_CANTOPEN && system > 0)
		return -system;
	return system == ENOSPC || system == EDQUOT ? -ENOSPC : -EIO;
}

const char *sql_message(const Sql *sql)
{
	return sql->db ? sqlite3_errmsg(sql->db) : "out of memory";
}

/* What holds for each connection, whatever becomes of the file: nothing of a damaged schema is run. */
static int sql_set_up(Sql *sql)
{
	static const int on[] = { SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
				  SQLITE_DBCONFIG_ENABLE_FKEY };
	static const int off[] = { SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
				   SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW };

	for (size_t i = 0; i < ELEMENTSOF(on); i++)
		sqlite3_db_config(sql->db, on[i], 1, NULL);
	for (size_t i = 0; i < ELEMENTSOF(off); i++)
		sqlite3_db_config(sql->db, off[i], 0, NULL);
	sqlite3_extended_result_codes(sql->db, 1);
	return sql_run(sql, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
			    "PRAGMA secure_delete = ON");
}

int sql_open(Sql *sql, const char *path, SqlMode mode)
{
	static const int flags[] = {
		[SQL_READ] = SQLITE_OPEN_READONLY,
		[SQL_WRITE] = SQLITE_OPEN_READWRITE,
		[SQL_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		[SQL_IMAGE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
	};
	int code;

	*sql = (Sql){ 0 };
	code = sqlite3_open_v2(mode == SQL_IMAGE ? ":memory:" : path, &sql->db,
			       flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (code != SQLITE_OK)
		return sql_errno(sql, code);
	return sql_set_up(sql);
}

void sql_close(Sql *sql)
{
	for (size_t i = 0; i < sql->n_kept; i++)
		sqlite3_finalize(sql->kept[i].stmt);
	sqlite3_close(sql->db);
	*sql = (Sql){ 0 };
}

void sql_tidy_at_close(Sql *sql)
{
	sqlite3_db_config(sql->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

int sql_load(Sql *sql, const void *data, size_t size)
{
	unsigned char *copy = sqlite3_malloc64(MAX(size, (size_t)1));
	int code;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	code = sqlite3_deserialize(sql->db, "main", copy, (sqlite3_int64)size, (sqlite3_int64)size,
				   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
	return code == SQLITE_OK ? 0 : sql_errno(sql, code);
}

int sql_run(Sql *sql, const char *text)
{
	int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sql_errno(sql, code);
}

int sql_number(Sql *sql, const char *text, int64_t *ret)
{
	_cleanup_statement_ Statement statement = sql_prepare(sql, text);
	int r = statement_step(&statement);

	if (r < 0)
		return r;
	if (r == 0)
		return -EUCLEAN;
	*ret = column_int(&statement);
	return 0;
}

Statement sql_prepare(Sql *sql, const char *text)
{
	Statement statement = { .sql = sql };

	statement.code = sqlite3_prepare_v2(sql->db, text, -1, &statement.stmt, NULL);
	return statement;
}

Statement sql_use(Sql *sql, const char *text)
{
	Statement statement = { .sql = sql, .kept = true };

	for (size_t i = 0; i < sql->n_kept; i++)
		if (sql->kept[i].text == text && !sqlite3_stmt_busy(sql->kept[i].stmt)) {
			statement.stmt = sql->kept[i].stmt;
			return statement;
		}
	statement.code = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement.stmt, NULL);
	statement.kept = statement.code == SQLITE_OK && sql->n_kept < SQL_KEPT_MAX;
	if (statement.kept) {
		sql->kept[sql->n_kept].text = text;
		sql->kept[sql->n_kept++].stmt = statement.stmt;
	}
	return statement;
}

void statement_done(Statement *statement)
{
	if (!statement->stmt)
		return;
	if (statement->kept) {
		sqlite3_reset(statement->stmt);
		sqlite3_clear_bindings(statement->stmt);
	} else {
		sqlite3_finalize(statement->stmt);
	}
	statement->stmt = NULL;
}

static void statement_fail(Statement *statement, int code)
{
	if (statement->code == SQLITE_OK)
		statement->code = code;
}

void bind_int(Statement *statement, int64_t value)
{
	statement_fail(statement, sqlite3_bind_int64(statement->stmt, ++statement->bound, value));
}

void bind_time(Statement *statement, uint64_t usec)
{
	bind_int(statement, (int64_t)MIN(usec, (uint64_t)INT64_MAX));
}

void bind_id(Statement *statement, const Id *id)
{
	bind_blob(statement, id->bytes, sizeof(id->bytes));
}

void bind_text(Statement *statement, const char *text)
{
	statement_fail(statement, sqlite3_bind_text(statement->stmt, ++statement->bound, text, -1, SQLITE_STATIC));
}

void bind_blob(Statement *statement, const void *data, size_t size)
{
	statement_fail(statement,
		       sqlite3_bind_blob64(statement->stmt, ++statement->bound, data ? data : "", size, SQLITE_STATIC));
}

int statement_step(Statement *statement)
{
	int code = statement->code;

	statement->column = 0;
	if (code == SQLITE_OK)
		code = sqlite3_step(statement->stmt);
	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return sql_errno(statement->sql, code);
}

int statement_finish(Statement *statement)
{
	int r = statement_step(statement);

	statement_done(statement);
	return r < 0 ? r : 0;
}

int64_t column_int(Statement *statement)
{
	return sqlite3_column_int64(statement->stmt, statement->column++);
}

Id column_id(Statement *statement)
{
	Id id = { 0 };
	size_t size;
	const void *data = column_blob(statement, &size);

	if (data && size == sizeof(id.bytes))
		memcpy(id.bytes, data, size);
	return id;
}

/* NULL where the value is not null: memory was short. */
static void column_check(Statement *statement, const void *value)
{
	if (!value && sqlite3_errcode(statement->sql->db) == SQLITE_NOMEM)
		statement_fail(statement, SQLITE_NOMEM);
}

const char *column_text(Statement *statement)
{
	const char *text = (const char *)sqlite3_column_text(statement->stmt, statement->column++);

	column_check(statement, text);
	return text;
}

const void *column_blob(Statement *statement, size_t *ret_size)
{
	const void *data = sqlite3_column_blob(statement->stmt, statement->column);

	column_check(statement, data);
	*ret_size = data ? (size_t)sqlite3_column_bytes(statement->stmt, statement->column) : 0;
	statement->column++;
	return data;
}

int statement_error(const Statement *statement)
{
	return statement->code == SQLITE_OK ? 0 : sql_errno(statement->sql, statement->code);
}

void column_skip(Statement *statement, int n)
{
	statement->column += n;
}
