/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <sys/stat.h>

#include "daemon/ledger_schema.h"
#include "tests/ledger_desk.h"

static void change(const char *text)
{
	sqlite3 *db;
	char *error = NULL;

	ck_assert_int_eq(sqlite3_open(scratch_path(LEDGER_NAME), &db), SQLITE_OK);
	sqlite3_exec(db, text, NULL, NULL, &error);
	ck_assert_msg(!error, "%s", error);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static int64_t number(const char *text)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t found;

	ck_assert_int_eq(sqlite3_open(scratch_path(LEDGER_NAME), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	found = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return found;
}

static void expect_refused(int error, const char *word)
{
	_cleanup_buffer_ Buffer before = { 0 }, after = { 0 };
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger = NULL;

	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &before), 0);
	ck_assert_int_eq(ledger_open(scratch_path(""), &desk_machine, &ledger, &problem), error);
	ck_assert_ptr_null(ledger);
	ck_assert_ptr_nonnull(problem);
	ck_assert_msg(strstr(problem, word), "%s", problem);
	ck_assert_msg(strstr(problem, LEDGER_NAME), "%s", problem);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &after), 0);
	ck_assert_uint_eq(before.size, after.size);
	ck_assert(before.size == 0 || memcmp(before.data, after.data, before.size) == 0);
}

static void put(const char *text, size_t size)
{
	ck_assert_int_ge(write_file_atomic(scratch_path(LEDGER_NAME), text, size, 0600), 0);
}

START_TEST(a_new_ledger_is_ours_alone_and_says_what_it_is)
{
	struct stat found;

	ledger_close(desk_begin());
	ck_assert_int_eq(stat(scratch_path(LEDGER_NAME), &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0600);
	ck_assert_int_eq(number("PRAGMA application_id"), SCHEMA_APPLICATION);
	ck_assert_int_eq(number("PRAGMA user_version"), SCHEMA_VERSION);
	ck_assert_int_eq(chmod(scratch_path(LEDGER_NAME), 0644), 0);
	Ledger *ledger = desk_open();
	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ck_assert_int_eq(stat(scratch_path(LEDGER_NAME), &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(scratch_path(LEDGER_NAME "-wal"), &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0600);
	ledger_close(ledger);
}
END_TEST

#define VERSION_1_RUN(number, run, state, replied)                                                               \
	"INSERT INTO runs VALUES (" number ", x'" run "0052000000000000000000000000', " number ", " state ", 1," \
	" 1000, 100, 5, 'r" number "', zeroblob(16), 'p', zeroblob(16), NULL, 0, 0, 9, 0, 0, NULL, 0, " replied ");"

START_TEST(a_ledger_of_version_1_is_brought_to_the_present_one)
{
	char text[700];
	Ledger *ledger;
	LedgerFound found;

	scratch_reset();
	ck_assert_int_eq(schema_make(scratch_path(LEDGER_NAME), &desk_machine, 1), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM sqlite_schema WHERE name = 'decisions'"), 0);
	snprintf(text, sizeof(text),
		 "INSERT INTO submissions VALUES (1, x'6162', %u, NULL);"
		 "INSERT INTO replies VALUES (2, x'6364', %u)",
		 crc32c(0, "ab", 2), crc32c(0, "cd", 2));
	change(VERSION_1_RUN("1", "0100", "0", "0") VERSION_1_RUN("2", "0200", "3", "1"));
	change(text);
	ledger = desk_open();
	ck_assert_int_eq(ledger_place(ledger), LEDGER_SAME);
	DeskList list = desk_queue(ledger);
	desk_expect(&list, 1);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "r2", &found), 0);
	ck_assert_int_eq(found.run.state, LEDGER_SUCCEEDED);
	ck_assert_mem_eq(found.run.reply, "cd", 2);
	ledger_found_done(&found);
	ck_assert_int_eq(desk_park(ledger, 5, "records"), 0);
	ck_assert_int_eq(desk_decide(ledger, 5, 3, LEDGER_RETRY), 0);
	ledger_close(ledger);
	ck_assert_int_eq(number("PRAGMA user_version"), SCHEMA_VERSION);
	ck_assert_int_eq(number("SELECT count(*) FROM runs"), 3);
}
END_TEST

START_TEST(a_ledger_of_a_newer_version_is_refused_and_left_alone)
{
	ledger_close(desk_begin());
	change("PRAGMA user_version = 99");
	expect_refused(-EPROTONOSUPPORT, "version 99");
}
END_TEST

START_TEST(what_is_no_ledger_is_refused_and_left_alone)
{
	char rubbish[10000];

	scratch_reset();
	memset(rubbish, 'r', sizeof(rubbish));
	put("", 0);
	expect_refused(-EUCLEAN, "damaged");
	put(rubbish, 100);
	expect_refused(-EUCLEAN, "damaged");
	put(rubbish, sizeof(rubbish));
	expect_refused(-EUCLEAN, "damaged");
	put("", 0);
	change("CREATE TABLE somebody (elses INTEGER); PRAGMA user_version = 1");
	expect_refused(-EUCLEAN, "kind");
}
END_TEST

START_TEST(a_ledger_that_lacks_a_table_is_damaged)
{
	ledger_close(desk_begin());
	change("DROP TABLE parked");
	expect_refused(-EUCLEAN, "parked");
}
END_TEST

START_TEST(what_cannot_be_opened_is_told)
{
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger = NULL;

	scratch_reset();
	ck_assert_int_eq(ledger_open(scratch_path("nowhere"), &desk_machine, &ledger, &problem), -ENOENT);
	ck_assert_ptr_nonnull(strstr(problem, "nowhere"));
	free(problem);
	problem = NULL;
	ck_assert_int_eq(mkdir(scratch_path(LEDGER_NAME), 0700), 0);
	ck_assert_int_lt(ledger_open(scratch_path(""), &desk_machine, &ledger, &problem), 0);
	ck_assert_ptr_nonnull(problem);
	ck_assert_ptr_null(ledger);
}
END_TEST

START_TEST(a_making_that_was_cut_off_is_begun_anew)
{
	static const char *const leftovers[] = { LEDGER_NAME ".new", LEDGER_NAME ".new-journal",
						 LEDGER_NAME ".new-wal" };

	scratch_reset();
	for (size_t i = 0; i < ELEMENTSOF(leftovers); i++)
		ck_assert_int_ge(write_file_atomic(scratch_path(leftovers[i]), "half", 4, 0600), 0);
	Ledger *ledger = desk_open();
	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ledger_close(ledger);
	for (size_t i = 0; i < ELEMENTSOF(leftovers); i++)
		ck_assert_int_ne(access(scratch_path(leftovers[i]), F_OK), 0);
}
END_TEST

START_TEST(a_copy_is_told_from_the_ledger_itself)
{
	_cleanup_buffer_ Buffer copy = { 0 };
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(ledger_place(ledger), LEDGER_SAME);
	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_place(ledger), LEDGER_SAME);
	ledger_close(ledger);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &copy), 0);
	put("", 0); /* what holds the same bytes is not written over */
	put((const char *)copy.data, copy.size);
	ledger = desk_open();
	ck_assert_int_eq(ledger_place(ledger), LEDGER_MOVED);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_place(ledger), LEDGER_MOVED);
	ck_assert_int_eq(DESK_DO(ledger, ledger_adopt), 0);
	ck_assert_int_eq(ledger_place(ledger), LEDGER_SAME);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_place(ledger), LEDGER_SAME);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

START_TEST(another_machine_is_another_place)
{
	const Id other = { .bytes = { 9 } };
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger;

	ledger_close(desk_begin());
	ck_assert_int_eq(ledger_open(scratch_path(""), &other, &ledger, &problem), 0);
	ck_assert_int_eq(ledger_place(ledger), LEDGER_MOVED);
	ledger_close(ledger);
}
END_TEST

CHECK_MAIN(ledger_open, a_new_ledger_is_ours_alone_and_says_what_it_is,
	   a_ledger_of_version_1_is_brought_to_the_present_one, a_ledger_of_a_newer_version_is_refused_and_left_alone,
	   what_is_no_ledger_is_refused_and_left_alone, a_ledger_that_lacks_a_table_is_damaged,
	   what_cannot_be_opened_is_told, a_making_that_was_cut_off_is_begun_anew,
	   a_copy_is_told_from_the_ledger_itself, another_machine_is_another_place)
