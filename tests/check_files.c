/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/files.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "check_main.h"

static char directory[64];

static void set_up(void)
{
	snprintf(directory, sizeof(directory), "/tmp/ryuso-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int on_entry(const char *path, const struct stat *st, int kind, struct FTW *level)
{
	(void)st;
	(void)kind;
	(void)level;
	return remove(path);
}

static void tear_down(void)
{
	ck_assert_int_eq(nftw(directory, on_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static char *place(const char *path)
{
	char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "%s/%s", directory, path), 0);
	return text;
}

static void put(const char *path, const char *text)
{
	_cleanup_free_ char *where = place(path);

	ck_assert_int_eq(make_directories(directory, 0777), 0);
	ck_assert_int_ge(write_file_atomic(where, text, strlen(text), 0666), 0);
}

static void assert_holds(const char *path, const char *expected)
{
	_cleanup_free_ char *where = place(path), *text = NULL;
	_cleanup_buffer_ Buffer content = { 0 };

	ck_assert_int_eq(read_file(where, 1000, &content), 0);
	text = buffer_take_text(&content);
	ck_assert_str_eq(text, expected);
}

static void assert_absent(const char *path)
{
	_cleanup_free_ char *where = place(path);

	ck_assert_int_ne(access(where, F_OK), 0);
}

static void add(Files *files, const char *path, FileKind kind, const char *text)
{
	_cleanup_buffer_ Buffer content = { 0 };

	buffer_text(&content, text);
	ck_assert_int_eq(files_add(files, path, kind, 0666, &content), 0);
}

START_TEST(what_differs_is_replaced_and_what_does_not_is_left)
{
	_cleanup_report_ Report report = { 0 };
	_cleanup_files_ Files files = { .directory = directory };

	set_up();
	put("same", "same");
	put("longer", "a longer text");
	put("other", "abcd");
	add(&files, "same", FILE_GENERATED, "same");
	add(&files, "longer", FILE_GENERATED, "short");
	add(&files, "other", FILE_GENERATED, "efgh");
	add(&files, "new/in/here", FILE_GENERATED, "");
	ck_assert_int_eq(files_compare(&files, &report), 0);
	ck_assert_int_eq(files.items[0].state, FILE_PRESENT);
	ck_assert_int_eq(files.items[1].state, FILE_DIFFERS);
	ck_assert_int_eq(files.items[2].state, FILE_DIFFERS);
	ck_assert_int_eq(files.items[3].state, FILE_MISSING);
	ck_assert_int_eq(files_write(&files, &report), 0);
	assert_holds("same", "same");
	assert_holds("longer", "short");
	assert_holds("other", "efgh");
	assert_holds("new/in/here", "");
	tear_down();
}
END_TEST

START_TEST(a_file_of_the_authors_is_never_replaced)
{
	_cleanup_report_ Report report = { 0 };
	_cleanup_files_ Files files = { .directory = directory };

	set_up();
	put("mine", "mine");
	add(&files, "mine", FILE_ONCE, "ours");
	add(&files, "new", FILE_ONCE, "ours");
	ck_assert_int_eq(files_compare(&files, &report), 0);
	ck_assert_int_eq(files_write(&files, &report), 0);
	assert_holds("mine", "mine");
	assert_holds("new", "ours");
	tear_down();
}
END_TEST

START_TEST(a_file_of_the_authors_that_comes_into_being_meanwhile_stays)
{
	_cleanup_report_ Report report = { 0 };
	_cleanup_files_ Files files = { .directory = directory };

	set_up();
	add(&files, "late", FILE_ONCE, "ours");
	ck_assert_int_eq(files_compare(&files, &report), 0);
	put("late", "mine");
	ck_assert_int_eq(files_write(&files, &report), -EBADMSG);
	assert_holds("late", "mine");
	ck_assert_uint_eq(report.n_errors, 1);
	tear_down();
}
END_TEST

START_TEST(when_one_file_cannot_be_written_none_is)
{
	_cleanup_report_ Report report = { 0 };
	_cleanup_files_ Files files = { .directory = directory };

	set_up();
	put("old", "old");
	put("wall", "a file, and no directory");
	add(&files, "old", FILE_GENERATED, "new");
	add(&files, "a/b/c", FILE_GENERATED, "c");
	add(&files, "wall/behind", FILE_GENERATED, "out of reach");
	ck_assert_int_eq(files_write(&files, &report), -EBADMSG);
	assert_holds("old", "old");
	assert_absent("a");
	ck_assert_uint_eq(report.n_errors, 1);
	tear_down();
}
END_TEST

CHECK_MAIN(files, what_differs_is_replaced_and_what_does_not_is_left, a_file_of_the_authors_is_never_replaced,
	   a_file_of_the_authors_that_comes_into_being_meanwhile_stays, when_one_file_cannot_be_written_none_is)
