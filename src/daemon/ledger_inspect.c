/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger looked at from outside, in a copy in memory: as far as it goes, where it is damaged. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct Look {
	const LedgerInspection *inspection;
	const char *path;
	Sql sql;
	bool damaged;
	bool placed; /* its place is written in it */
} Look;

static void look_problem(const Look *look, const char *sentence)
{
	if (look->inspection->on_problem && sentence)
		look->inspection->on_problem(look->inspection->context, sentence);
}

static void look_damage(Look *look, const char *of, const char *what)
{
	_cleanup_free_ char *sentence = NULL;

	look->damaged = true;
	if (asprintf(&sentence, "%s is damaged (%s): %s. What can be read of it is shown.", look->path, of, what) < 0)
		sentence = NULL;
	look_problem(look, sentence);
}

/* A value of the row is not what was written: the rest of the row is shown all the same. */
static void look_part(Look *look, Statement *row, LedgerRun *run, const char *part,
		      int (*read)(Statement *row, LedgerRun *run))
{
	char text[ID_TEXT_SIZE], of[64];

	if (read(row, run) == 0)
		return;
	id_format(&run->run, text);
	snprintf(of, sizeof(of), "run %s", text);
	look_damage(look, of, part);
}

static int look_run(Look *look, Statement *row)
{
	LedgerRun run;
	int r;

	r = row_run(row, &run);
	if (r < 0)
		return r;
	look_part(look, row, &run, "its reply is not what was written", row_reply);
	look_part(look, row, &run, "its arguments are not what was written", row_submission);
	look_part(look, row, &run, "its records are not what was written", row_records);
	if (look->inspection->on_run)
		look->inspection->on_run(look->inspection->context, &run);
	return 0;
}

static int look_decision(Look *look, Statement *row)
{
	LedgerDecision decision;
	int r;

	r = row_decision(row, &decision);
	if (r == 0 && look->inspection->on_decision)
		look->inspection->on_decision(look->inspection->context, &decision);
	return r;
}

static int look_hold(Look *look, Statement *row)
{
	LedgerHold hold = { .held = column_int(row) != 0 };

	hold.uid = (uint32_t)column_int(row);
	hold.reason = column_text(row);
	hold.usec = (uint64_t)column_int(row);
	if (look->inspection->on_hold)
		look->inspection->on_hold(look->inspection->context, &hold);
	return 0;
}

static int look_place(Look *look, Statement *row)
{
	Id machine = column_id(row);

	look->placed = true;
	return id_is_null(&machine) ? statement_error(row) : 0;
}

static const struct {
	const char *of;
	const char *text;
	int (*read)(Look *look, Statement *row);
} looks[] = {
	/* NOT INDEXED: what is damaged may be the index alone */
	{ "runs",
	  "SELECT " ROW_RUN ", " ROW_REPLY ", " ROW_SUBMISSION ", " ROW_RECORDS
	  " FROM runs NOT INDEXED LEFT JOIN replies ON replies.number = runs.number"
	  " LEFT JOIN submissions ON submissions.number = runs.number"
	  " LEFT JOIN parked ON parked.number = runs.number ORDER BY runs.number",
	  look_run },
	{ "decisions",
	  "SELECT runs.run, decisions.step, verb, decisions.flags, decisions.uid, reason, decided, done"
	  " FROM decisions NOT INDEXED JOIN runs ON runs.number = decisions.number ORDER BY decision",
	  look_decision },
	{ "hold", "SELECT held, uid, reason, decided FROM hold", look_hold },
	{ "place", "SELECT machine, inode, born FROM place", look_place },
};

static void look_table(Look *look, size_t i)
{
	_cleanup_statement_ Statement row = sql_prepare(&look->sql, looks[i].text);
	int r;

	while ((r = statement_step(&row)) > 0) {
		r = looks[i].read(look, &row);
		if (r < 0)
			break;
	}
	if (r < 0)
		look_damage(look, looks[i].of,
			    statement_error(&row) < 0 || r != -EUCLEAN ? sql_message(&look->sql)
								       : "a row makes no sense");
}

static int look_identify(Look *look)
{
	_cleanup_free_ char *what = NULL, *sentence = NULL;
	unsigned version;
	int r;

	r = schema_identify(&look->sql, &version, &what);
	if (r == -EPROTONOSUPPORT &&
	    asprintf(&sentence, "%s was written by a newer ryusod: %s. Look at it with that one.", look->path, what) <
		    0)
		sentence = NULL;
	look_problem(look, sentence);
	if (r == -EUCLEAN)
		look_damage(look, "whole", what ? what : "its first page cannot be read");
	return r < 0 ? r : schema_migrate(&look->sql, version);
}

static int look_all(Look *look)
{
	_cleanup_free_ char *what = NULL;
	int r;

	r = look_identify(look);
	if (r < 0 && r != -EUCLEAN)
		return r;
	if (r == 0 && schema_check(&look->sql, &what) == -EUCLEAN)
		look_damage(look, "whole", what);
	for (size_t i = 0; i < ELEMENTSOF(looks); i++)
		look_table(look, i);
	if (!look->placed && !look->damaged)
		look_damage(look, "place", "where it belongs is not written in it");
	return look->damaged ? -EUCLEAN : 0;
}

int ledger_inspect(const char *directory, const LedgerInspection *inspection)
{
	_cleanup_free_ char *path = NULL, *problem = NULL;
	_cleanup_buffer_ Buffer image = { 0 };
	Look look = { .inspection = inspection };
	int r;

	if (asprintf(&path, "%s/%s", directory, LEDGER_NAME) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = image_read(path, &image, &problem);
	if (r < 0)
		return r;
	look.path = path;
	look_problem(&look, problem);
	r = sql_open(&look.sql, NULL, SQL_IMAGE);
	if (r == 0)
		r = sql_load(&look.sql, image.data, image.size);
	if (r == 0)
		r = look_all(&look);
	sql_close(&look.sql);
	return r;
}
