/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for damage. */
#include "daemon/ledger_schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What SQLite cannot know: a page may have been replaced by a valid one of another time or table. */
static const char schema_parts[] = "SELECT 'run ' || lower(hex(run)) || ' lacks what belongs to its state' FROM runs"
				   " WHERE (state = 0) != (number IN (SELECT number FROM submissions))"
				   " OR (state = 1) != (number IN (SELECT number FROM parked))"
				   " OR replied != (number IN (SELECT number FROM replies)) LIMIT 1";

static const char schema_blobs[] = "SELECT arguments, crc, 'the arguments of a run' FROM submissions"
				   " UNION ALL SELECT records, crc, 'the records of a parked run' FROM parked"
				   " UNION ALL SELECT reply, crc, 'the words of a reply' FROM replies";

/* The one row "ok", or rows that say what is wrong: the first of them is enough. */
static int schema_look(Sql *sql, const char *text, char **ret_what)
{
	_cleanup_statement_ Statement statement = sql_prepare(sql, text);
	const char *found;
	int r;

	r = statement_step(&statement);
	if (r == -EUCLEAN)
		return asprintf(ret_what, "%s", sql_message(sql)) < 0 ? -ENOMEM : -EUCLEAN;
	if (r <= 0)
		return r;
	found = column_text(&statement);
	if (!found)
		return -ENOMEM;
	if (strcmp(found, "ok") == 0)
		return 0;
	if (strncmp(found, "*** in database main ***\n", 25) == 0)
		found += 25;
	if (asprintf(ret_what, "%.*s", (int)strcspn(found, "\n"), found) < 0)
		return -ENOMEM;
	return -EUCLEAN;
}

static int schema_look_all(Sql *sql, const char *const *texts, size_t n, char **ret_what)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = schema_look(sql, texts[i], ret_what);
	return r;
}

/* 1: the row's blob is what was written. */
static int schema_look_blob(Statement *row, char **ret_what)
{
	size_t size;
	const void *data = column_blob(row, &size);
	uint32_t crc = (uint32_t)column_int(row);
	int r = statement_error(row);

	if (r < 0)
		return r;
	if (crc32c(0, data ? data : "", size) == crc)
		return 1;
	return asprintf(ret_what, "%s are not what was written", column_text(row)) < 0 ? -ENOMEM : -EUCLEAN;
}

static int schema_look_blobs(Sql *sql, char **ret_what)
{
	_cleanup_statement_ Statement row = sql_prepare(sql, schema_blobs);
	int r;

	while ((r = statement_step(&row)) > 0) {
		r = schema_look_blob(&row, ret_what);
		if (r < 0)
			return r;
	}
	if (r == -EUCLEAN && asprintf(ret_what, "%s", sql_message(sql)) < 0)
		return -ENOMEM;
	return r;
}

static int schema_check_whole(Sql *sql, char **ret_what)
{
	static const char *const whole[] = { "PRAGMA integrity_check(1)", schema_parts };
	int r = schema_look_all(sql, whole, ELEMENTSOF(whole), ret_what);

	return r < 0 ? r : schema_look_blobs(sql, ret_what);
}

int schema_check(Sql *sql, char **ret_what)
{
	static const char *const most[] = { "PRAGMA quick_check(submissions)", "PRAGMA quick_check(parked)",
					    "PRAGMA quick_check(decisions)", "PRAGMA quick_check(place)" };
	int64_t pages, page_size;
	int r;

	r = sql_number(sql, "PRAGMA page_count", &pages);
	if (r == 0)
		r = sql_number(sql, "PRAGMA page_size", &page_size);
	if (r < 0)
		return r;
	if (pages * page_size <= SCHEMA_SMALL)
		return schema_check_whole(sql, ret_what);
	if (pages * page_size > SCHEMA_MEDIUM)
		return 1;
	r = schema_look_all(sql, most, ELEMENTSOF(most), ret_what);
	return r < 0 ? r : 1;
}

int schema_check_rest(Sql *sql, char **ret_what)
{
	int r = schema_look(sql, "PRAGMA quick_check(1)", ret_what);

	if (r == 0)
		r = schema_look(sql, schema_parts, ret_what);
	return r < 0 ? r : schema_look_blobs(sql, ret_what);
}
