/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/ledger_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"

/* runs.position: when the state changed last, as a number that only grows. runs.state: enum LedgerState; what is 3 or
 * more has ended. Blobs carry their CRC-32C: SQLite has no checksums of its own. */
static const char *const schema_steps[SCHEMA_VERSION] = {
	"CREATE TABLE runs ("
	" number INTEGER PRIMARY KEY,"
	" run BLOB NOT NULL UNIQUE CHECK (length(run) = 16),"
	" position INTEGER NOT NULL UNIQUE,"
	" state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),"
	" promised INTEGER NOT NULL CHECK (promised IN (0, 1)),"
	" uid INTEGER NOT NULL, gid INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" request_id TEXT,"
	" fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),"
	" program TEXT NOT NULL,"
	" module BLOB NOT NULL CHECK (length(module) = 16),"
	" build_id TEXT,"
	" flags INTEGER NOT NULL,"
	" start_by INTEGER NOT NULL, submitted INTEGER NOT NULL, begun INTEGER NOT NULL, ended INTEGER NOT NULL,"
	" error TEXT, step INTEGER NOT NULL,"
	" replied INTEGER NOT NULL CHECK (replied IN (0, 1))"
	") STRICT;"
	"CREATE UNIQUE INDEX runs_request ON runs (uid, request_id) WHERE request_id IS NOT NULL;"
	"CREATE INDEX runs_state ON runs (state, position);"
	"CREATE INDEX runs_kept ON runs (promised, position) WHERE state >= 3;"
	"CREATE TABLE submissions ("
	" number INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,"
	" arguments BLOB NOT NULL, crc INTEGER NOT NULL, metadata TEXT"
	") STRICT;"
	"CREATE TABLE parked ("
	" number INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,"
	" records BLOB NOT NULL, crc INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE replies ("
	" number INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,"
	" reply BLOB NOT NULL, crc INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE place ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" machine BLOB NOT NULL CHECK (length(machine) = 16), inode INTEGER NOT NULL, born INTEGER NOT NULL"
	") STRICT;",

	"CREATE TABLE decisions ("
	" decision INTEGER PRIMARY KEY,"
	" number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
	" step INTEGER NOT NULL, verb INTEGER NOT NULL CHECK (verb BETWEEN 0 AND 2), flags INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, reason TEXT, decided INTEGER NOT NULL,"
	" done INTEGER NOT NULL CHECK (done IN (0, 1))"
	") STRICT;"
	"CREATE INDEX decisions_run ON decisions (number);"
	"CREATE UNIQUE INDEX decisions_open ON decisions (number) WHERE done = 0;"
	"CREATE TABLE hold ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" held INTEGER NOT NULL CHECK (held IN (0, 1)), uid INTEGER NOT NULL, reason TEXT, decided INTEGER NOT NULL"
	") STRICT;",

	("CREATE INDEX runs_user ON runs (uid, position);"
	 "ALTER TABLE place ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;"),
};

int schema_find_place(const char *path, const Id *machine, SchemaPlace *ret)
{
	struct statx found;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &found) < 0)
		return -errno;
	*ret = (SchemaPlace){ .machine = *machine, .inode = found.stx_ino };
	if (found.stx_mask & STATX_BTIME)
		ret->born_usec = (uint64_t)found.stx_btime.tv_sec * USEC_PER_SEC + found.stx_btime.tv_nsec / 1000;
	return 0;
}

int schema_read_place(Sql *sql, SchemaPlace *ret)
{
	_cleanup_statement_ Statement statement = sql_prepare(sql, "SELECT machine, inode, born, moved FROM place");
	int r = statement_step(&statement);

	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	ret->machine = column_id(&statement);
	ret->inode = (uint64_t)column_int(&statement);
	ret->born_usec = (uint64_t)column_int(&statement);
	ret->moved_usec = (uint64_t)column_int(&statement);
	return statement_error(&statement);
}

int schema_write_place(Sql *sql, const SchemaPlace *place)
{
	Statement statement =
		sql_prepare(sql, "INSERT OR REPLACE INTO place (one, machine, inode, born) VALUES (1, ?, ?, ?)");
	int r;

	bind_id(&statement, &place->machine);
	bind_int(&statement, (int64_t)place->inode);
	bind_int(&statement, (int64_t)place->born_usec);
	r = statement_finish(&statement);
	if (r < 0 || place->moved_usec == 0)
		return r;
	statement = sql_prepare(sql, "UPDATE place SET moved = ?");
	bind_time(&statement, place->moved_usec);
	return statement_finish(&statement);
}

bool schema_same_place(const SchemaPlace *a, const SchemaPlace *b)
{
	return id_equal(&a->machine, &b->machine) && a->inode == b->inode &&
	       (a->born_usec == b->born_usec || a->born_usec == 0 || b->born_usec == 0);
}

static int schema_run_steps(Sql *sql, unsigned from, unsigned to)
{
	char text[80];
	int r = 0;

	for (unsigned i = from; i < to && r == 0; i++)
		r = sql_run(sql, schema_steps[i]);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "PRAGMA user_version = %u; PRAGMA application_id = %u", to, SCHEMA_APPLICATION);
	return sql_run(sql, text);
}

static int schema_fill(Sql *sql, const char *path, const Id *machine, unsigned version)
{
	SchemaPlace place;
	int r;

	r = schema_find_place(path, machine, &place);
	if (r < 0)
		return r;
	r = sql_run(sql, "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = schema_run_steps(sql, 0, version);
	if (r == 0)
		r = schema_write_place(sql, &place);
	return r < 0 ? r : sql_run(sql, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

int schema_make(const char *path, const Id *machine, unsigned version)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	Sql sql;
	int r;

	if (fd < 0)
		return -errno;
	fd = fd_close(fd);
	r = sql_open(&sql, path, SQL_WRITE);
	if (r == 0)
		r = schema_fill(&sql, path, machine, version);
	if (r == 0)
		sql_tidy_at_close(&sql);
	sql_close(&sql);
	return r;
}

int schema_identify(Sql *sql, unsigned *ret_version, char **ret_what)
{
	int64_t application, version;
	int r;

	r = sql_number(sql, "PRAGMA application_id", &application);
	if (r == 0)
		r = sql_number(sql, "PRAGMA user_version", &version);
	if (r == -EUCLEAN && asprintf(ret_what, "its first page cannot be read (%s)", sql_message(sql)) < 0)
		return -ENOMEM;
	if (r < 0)
		return r;
	if (application != SCHEMA_APPLICATION || version < 1) {
		r = asprintf(ret_what, "it says that it is of kind %08x, version %d, expected kind %08x",
			     (unsigned)application, (int)version, SCHEMA_APPLICATION);
		return r < 0 ? -ENOMEM : -EUCLEAN;
	}
	if (version > SCHEMA_VERSION) {
		r = asprintf(ret_what, "it is of version %d, expected at most %d", (int)version, SCHEMA_VERSION);
		return r < 0 ? -ENOMEM : -EPROTONOSUPPORT;
	}
	*ret_version = (unsigned)version;
	return 0;
}

int schema_migrate(Sql *sql, unsigned version)
{
	int r;

	if (version == SCHEMA_VERSION)
		return 0;
	r = sql_run(sql, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = schema_run_steps(sql, version, SCHEMA_VERSION);
	if (r == 0)
		r = sql_run(sql, "COMMIT");
	if (r < 0)
		(void)sql_run(sql, "ROLLBACK");
	return r;
}
