/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "daemon/store.h"
#include "scratch.h"

START_TEST(the_directory_is_made_for_us_alone)
{
	const char *path = scratch_path("a");
	struct stat status;
	pid_t holder = 0;
	Store store;

	ck_assert_int_eq(store_init(&store, path), 0);
	ck_assert_int_eq(store_acquire(&store, &holder), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0700);
	store_done(&store);
}
END_TEST

START_TEST(a_directory_in_use_names_its_holder_until_it_is_free)
{
	const char *path = scratch_path("b");
	Store first, second;
	pid_t holder = 0;

	ck_assert_int_eq(store_init(&first, path), 0);
	ck_assert_int_eq(store_init(&second, path), 0);
	ck_assert_int_eq(store_acquire(&first, &holder), 0);
	ck_assert_int_eq(store_acquire(&second, &holder), -EBUSY);
	ck_assert_int_eq(holder, getpid());
	ck_assert_int_lt(second.lock, 0);
	store_done(&first);
	ck_assert_int_eq(store_acquire(&second, &holder), 0);
	store_done(&second);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_an_error)
{
	pid_t holder = 0;
	Store store;

	ck_assert_int_ge(write_file_atomic(scratch_path("file"), "x", 1, 0600), 0);
	ck_assert_int_eq(store_init(&store, scratch_path("file/state")), 0);
	ck_assert_int_eq(store_acquire(&store, &holder), -ENOTDIR);
	store_done(&store);
}
END_TEST

CHECK_MAIN(store, the_directory_is_made_for_us_alone, a_directory_in_use_names_its_holder_until_it_is_free,
	   a_directory_that_cannot_be_made_is_an_error)
