/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module_notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "points_file.h"

#define FAULTS_MAX 200U

static char *note_file(const Catalog *catalog)
{
	char text[ID_TEXT_SIZE], *path;

	id_format(&catalog->identity, text);
	ck_assert_int_ge(asprintf(&path, "%s/modules/%s", notes_directory, text), 0);
	return path;
}

static int load(const Id *identity, ModuleNote *ret)
{
	_cleanup_free_ char *problem = NULL;
	int r = modules_load(notes_directory, identity, &notes_caps, ret, &problem);

	ck_assert_int_eq(r == -EBADMSG, problem != NULL);
	return r;
}

static void expect_saved(const Catalog *catalog, const char *path)
{
	_cleanup_module_note_ ModuleNote note = { 0 };

	ck_assert_int_eq(load(&catalog->identity, &note), 0);
	ck_assert(id_equal(&note.catalog->identity, &catalog->identity));
	ck_assert_str_eq(note.catalog->spec_text, catalog->spec_text);
	ck_assert_str_eq(note.catalog->build_id, catalog->build_id);
	ck_assert_pstr_eq(note.path, path);
	ck_assert_ptr_nonnull(catalog_program(note.catalog, "pay"));
}

START_TEST(a_build_and_a_spec_of_another_kind_are_other_modules)
{
	const OrderHello a = notes_hello("{}", "aa"), b = notes_hello("{}", "ab"), c = notes_hello("{ }", "aa"),
			 d = notes_hello("{}", "");
	const OrderHello *all[] = { &a, &b, &c, &d };
	Id identities[4];

	for (size_t i = 0; i < ELEMENTSOF(all); i++)
		identities[i] = module_identity(&all[i]->fingerprint, all[i]->build_id, all[i]->build_id_size);
	for (size_t i = 0; i < ELEMENTSOF(all); i++)
		for (size_t j = 0; j < ELEMENTSOF(all); j++)
			ck_assert_int_eq(!!id_equal(&identities[i], &identities[j]), i == j);
}
END_TEST

START_TEST(what_is_saved_is_ours_alone_and_comes_back)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	_cleanup_free_ char *file = NULL;
	struct stat status;

	notes_begin();
	file = note_file(catalog);
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/usr/lib/ryuso/purse.so"), 0);
	ck_assert_int_eq(stat(file, &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0600);
	*strrchr(file, '/') = '\0';
	ck_assert_int_eq(stat(file, &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0700);
	expect_saved(catalog, "/usr/lib/ryuso/purse.so");
	notes_done();
}
END_TEST

START_TEST(a_second_save_follows_the_module_to_where_it_is_now)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	_cleanup_free_ char *file = NULL, *here = getcwd(NULL, 0), *whole = NULL;
	struct stat before, after;

	notes_begin();
	file = note_file(catalog);
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/a/purse.so"), 0);
	ck_assert_int_eq(stat(file, &before), 0);
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/a/purse.so"), 0);
	ck_assert_int_eq(stat(file, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(modules_save(notes_directory, catalog, "b/purse.so"), 0);
	ck_assert_int_ge(asprintf(&whole, "%s/b/purse.so", here), 0);
	expect_saved(catalog, whole);
	ck_assert_int_eq(modules_save(notes_directory, catalog, NULL), 0);
	expect_saved(catalog, NULL);
	notes_done();
}
END_TEST

START_TEST(of_a_module_that_was_never_in_use_nothing_is_known)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff"), *other = notes_catalog("00fe");
	ModuleNote note = { 0 };

	notes_begin();
	ck_assert_int_eq(load(&catalog->identity, &note), -ENOENT);
	ck_assert_int_eq(modules_save(notes_directory, other, NULL), 0);
	ck_assert_int_eq(load(&catalog->identity, &note), -ENOENT);
	notes_done();
}
END_TEST

START_TEST(whatever_is_changed_in_a_file_is_noticed)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	_cleanup_buffer_ Buffer whole = { 0 };
	_cleanup_free_ char *file = NULL;
	ModuleNote note = { 0 };
	size_t kept = 0;

	notes_begin();
	file = note_file(catalog);
	ck_assert_int_eq(modules_save(notes_directory, catalog, NULL), 0);
	ck_assert_int_eq(read_file(file, 1 << 20, &whole), 0);
	for (size_t size = 0; size < whole.size - 1; size++) { /* without its newline it is whole */
		ck_assert_int_ge(write_file_atomic(file, whole.data, size, 0600), 0);
		ck_assert_int_eq(load(&catalog->identity, &note), -EBADMSG);
	}
	for (size_t i = 0; i < whole.size; i++) {
		whole.data[i] ^= 1;
		ck_assert_int_ge(write_file_atomic(file, whole.data, whole.size, 0600), 0);
		if (load(&catalog->identity, &note) == 0) { /* the name, or a member's that nobody reads */
			ck_assert_str_eq(note.catalog->spec_text, catalog->spec_text);
			module_note_done(&note);
			kept++;
		}
		whole.data[i] ^= 1;
	}
	ck_assert_uint_lt(kept, strlen("module") + strlen("purse") + 1);
	ck_assert_int_eq(modules_save(notes_directory, catalog, NULL), 0); /* a damaged one is written anew */
	expect_saved(catalog, NULL);
	notes_done();
}
END_TEST

START_TEST(a_file_of_another_module_is_not_taken_for_this_one)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff"), *other = notes_catalog("00fe");
	_cleanup_free_ char *file = NULL, *other_file = NULL;
	ModuleNote note = { 0 };

	notes_begin();
	file = note_file(catalog);
	other_file = note_file(other);
	ck_assert_int_eq(modules_save(notes_directory, other, NULL), 0);
	ck_assert_int_eq(rename(other_file, file), 0);
	ck_assert_int_eq(load(&catalog->identity, &note), -EBADMSG);
	notes_done();
}
END_TEST

/* Whether there was such a place. */
static bool save_failing(PointsFault what, uint64_t number, int error, const char *before)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	ModuleNote note = { 0 };
	bool failed;
	int r;

	notes_begin();
	points_make(scratch_path("points"));
	if (before)
		ck_assert_int_eq(modules_save(notes_directory, catalog, before), 0);
	points_fail(what, number, error);
	r = modules_save(notes_directory, catalog, "/b/purse.so");
	failed = points_failed(what) > 0;
	points_fail(what, 0, 0);
	ck_assert_int_eq(r, failed && error != EINTR ? -error : 0);
	if (r < 0 && before) {
		ck_assert_int_eq(load(&catalog->identity, &note), 0); /* in one of its two forms */
		module_note_done(&note);
	}
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/b/purse.so"), 0);
	expect_saved(catalog, "/b/purse.so");
	return failed;
}

static void fail_everywhere(PointsFault what, unsigned expected)
{
	static const int errors[] = { EIO, ENOSPC, EINTR };
	static const char *const before[] = { NULL, "/a/purse.so", "/b/purse.so" };

	for (size_t i = 0; i < ELEMENTSOF(errors); i++)
		for (size_t j = 0; j < ELEMENTSOF(before); j++) {
			unsigned n = 0;

			while (save_failing(what, n + 1, errors[i], before[j]))
				ck_assert_uint_lt(++n, FAULTS_MAX);
			ck_assert_uint_eq(n, what == POINTS_WRITE && j == 2 ? 0 : expected);
		}
	notes_done();
}

START_TEST(whichever_write_of_a_save_fails_it_says_so_and_what_was_there_stays)
{
	fail_everywhere(POINTS_WRITE, 1);
}
END_TEST

START_TEST(whichever_sync_of_a_save_fails_it_says_so_and_what_was_there_stays)
{
	fail_everywhere(POINTS_SYNC, 3); /* the file, its name, the folder's name */
}
END_TEST

/* Whether it came that far. */
static bool save_killed(uint64_t number)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	ModuleNote note = { 0 };
	int status, r;
	pid_t pid;

	notes_begin();
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/a/purse.so"), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		points_make(scratch_path("points"));
		points_kill(number);
		_exit(modules_save(notes_directory, catalog, "/b/purse.so") < 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	r = load(&catalog->identity, &note);
	ck_assert_int_eq(r, 0);
	ck_assert(strcmp(note.path, "/a/purse.so") == 0 || strcmp(note.path, "/b/purse.so") == 0);
	module_note_done(&note);
	ck_assert_int_eq(modules_save(notes_directory, catalog, "/c/purse.so"), 0);
	expect_saved(catalog, "/c/purse.so");
	return WIFSIGNALED(status);
}

START_TEST(wherever_a_save_is_cut_off_the_file_is_whole)
{
	unsigned n = 0;

	while (save_killed(n + 1))
		ck_assert_uint_lt(++n, FAULTS_MAX);
	ck_assert_uint_ge(n, 4);
	notes_done();
}
END_TEST

static bool is_wanted(const Id *identity, void *context)
{
	return id_equal(identity, context);
}

START_TEST(what_no_run_is_pinned_to_any_more_is_removed)
{
	_cleanup_catalog_ Catalog *kept = notes_catalog("00ff"), *gone = notes_catalog("00fe");
	_cleanup_free_ char *stranger = NULL;
	ModuleNote note = { 0 };

	notes_begin();
	modules_prune(notes_directory, is_wanted, &kept->identity);
	ck_assert_int_eq(modules_save(notes_directory, kept, NULL), 0);
	ck_assert_int_eq(modules_save(notes_directory, gone, NULL), 0);
	ck_assert_int_ge(asprintf(&stranger, "%s/modules/README", notes_directory), 0);
	ck_assert_int_ge(write_file_atomic(stranger, "x", 1, 0600), 0);
	modules_prune(notes_directory, is_wanted, &kept->identity);
	expect_saved(kept, NULL);
	ck_assert_int_eq(load(&gone->identity, &note), -ENOENT);
	ck_assert_int_eq(access(stranger, F_OK), 0);
	notes_done();
}
END_TEST

CHECK_MAIN(modules, a_build_and_a_spec_of_another_kind_are_other_modules, what_is_saved_is_ours_alone_and_comes_back,
	   a_second_save_follows_the_module_to_where_it_is_now, of_a_module_that_was_never_in_use_nothing_is_known,
	   whatever_is_changed_in_a_file_is_noticed, a_file_of_another_module_is_not_taken_for_this_one,
	   whichever_write_of_a_save_fails_it_says_so_and_what_was_there_stays,
	   whichever_sync_of_a_save_fails_it_says_so_and_what_was_there_stays,
	   wherever_a_save_is_cut_off_the_file_is_whole, what_no_run_is_pinned_to_any_more_is_removed)
