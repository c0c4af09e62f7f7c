/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

START_TEST(a_directory_that_others_may_look_into_is_closed)
{
	const char *path = scratch_path("open");
	struct stat status;
	pid_t holder = 0;
	Store store;

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_int_eq(store_init(&store, path), 0);
	ck_assert_int_eq(store_acquire(&store, &holder), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(scratch_path("open/lock"), &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0600);
	store_done(&store);
}
END_TEST

START_TEST(a_directory_of_another_user_is_not_used)
{
	const char *path = scratch_path("foreign");
	pid_t holder = 0;
	Store store;

	ck_assert_int_eq(mkdir(path, 0700), 0);
	if (chown(path, 12345, 12345) < 0)
		return; /* only root can try it */
	ck_assert_int_eq(store_init(&store, path), 0);
	ck_assert_int_eq(store_acquire(&store, &holder), -EPERM);
	ck_assert_int_lt(store.lock, 0);
	ck_assert_int_ne(access(scratch_path("foreign/lock"), F_OK), 0);
	store_done(&store);
}
END_TEST

/* What a worker of the daemon started, and what is alive still when the daemon is not. */
static pid_t start_child(int tree)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		ck_assert_int_eq(dup2(tree, 100), 100); /* without CLOEXEC, as in a worker */
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(EXIT_FAILURE);
	}
	return pid;
}

static bool holds(pid_t pid, int fd)
{
	char link[64], target[256] = "";

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	if (readlink(link, target, sizeof(target) - 1) < 0 || !strstr(target, "sleep"))
		return false;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	return readlink(link, target, sizeof(target) - 1) > 0;
}

START_TEST(the_tree_is_held_as_long_as_anything_of_it_is_alive)
{
	const char *path = scratch_path("tree");
	Store first, second;
	struct stat status;
	pid_t holder = 0, child;

	ck_assert_int_eq(store_init(&first, path), 0);
	ck_assert_int_eq(store_acquire(&first, &holder), 0);
	ck_assert_int_eq(store_acquire_tree(&first), 0);
	ck_assert_int_eq(fcntl(first.tree, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(stat(scratch_path("tree/tree"), &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0600);
	child = start_child(first.tree);
	while (!holds(child, 100))
		sched_yield();
	store_done(&first);
	ck_assert_int_lt(first.tree, 0);
	ck_assert_int_eq(store_init(&second, scratch_path("tree")), 0);
	ck_assert_int_eq(store_acquire(&second, &holder), 0);
	ck_assert_int_eq(store_acquire_tree(&second), -EAGAIN);
	ck_assert_int_lt(second.tree, 0);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(store_acquire_tree(&second), 0);
	store_done(&second);
}
END_TEST

CHECK_MAIN(store, the_directory_is_made_for_us_alone, a_directory_in_use_names_its_holder_until_it_is_free,
	   a_directory_that_cannot_be_made_is_an_error, a_directory_that_others_may_look_into_is_closed,
	   a_directory_of_another_user_is_not_used, the_tree_is_held_as_long_as_anything_of_it_is_alive)
