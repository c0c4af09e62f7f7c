/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By the offsets that point.c's head tells: whoever else makes the file goes by them, too. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/point.h"
#include "tests/check_main.h"

#define FILE_SIZE (240 + 4096 * 48 + 2 * 40)

static uint8_t *file;

static void fresh(void)
{
	char path[64];
	int fd = memfd_create("points", 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, FILE_SIZE), 0);
	file = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(file, MAP_FAILED);
	memcpy(file, "RPNT\1\0\0\0", 8);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("RYUSO_POINTS", path, 1);
}

static uint64_t u64_at(size_t offset)
{
	return __atomic_load_n((uint64_t *)(void *)(file + offset), __ATOMIC_SEQ_CST);
}

static void order(size_t n, uint32_t side, uint32_t what, uint64_t number)
{
	memcpy(file + 56 + 16 * n, &side, sizeof(side));
	memcpy(file + 60 + 16 * n, &what, sizeof(what));
	memcpy(file + 64 + 16 * n, &number, sizeof(number));
}

static void fault(size_t n, uint32_t side, uint32_t error, uint32_t for_good, uint64_t number)
{
	const uint32_t words[] = { side, error, for_good };

	memcpy(file + 88 + 48 * n, words, sizeof(words));
	memcpy(file + 104 + 48 * n, &number, sizeof(number));
}

static pid_t start(void (*body)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	body();
	_exit(0);
}

static int end(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void reach_five(void)
{
	for (int i = 0; i < 5; i++)
		POINT("somewhere");
}

static void be_daemon(void)
{
	point_init(POINT_DAEMON);
	reach_five();
}

static void be_worker(void)
{
	point_init(POINT_WORKER);
	reach_five();
}

START_TEST(without_the_file_nothing_is_counted_and_nothing_fails)
{
	unsetenv("RYUSO_POINTS");
	ck_assert_int_eq(end(start(be_daemon)), 0);
	ck_assert(!points_armed);
	ck_assert_int_eq(POINT_FAULT("sync"), 0);
	ck_assert_ptr_null(point_boot_id());
}
END_TEST

START_TEST(points_are_counted_by_side_and_named_in_the_log)
{
	fresh();
	ck_assert_int_eq(end(start(be_daemon)), 0);
	ck_assert_int_eq(end(start(be_worker)), 0);
	ck_assert_int_eq(end(start(be_worker)), 0);
	ck_assert_uint_eq(u64_at(16), 5);
	ck_assert_uint_eq(u64_at(24), 10);
	ck_assert_uint_eq(u64_at(232), 15);
	ck_assert_uint_eq(u64_at(240 + 48 * 14), 10);
	ck_assert_str_eq((const char *)file + 240 + 48 * 14 + 16, "somewhere");
	ck_assert_uint_eq(u64_at(48), 0);
}
END_TEST

START_TEST(the_process_dies_at_the_point_that_was_ordered)
{
	fresh();
	order(0, POINT_WORKER, 1, 3);
	ck_assert_int_eq(end(start(be_daemon)), 0);
	ck_assert_int_eq(WTERMSIG(end(start(be_worker))), SIGKILL);
	ck_assert_uint_eq(u64_at(24), 3);
	ck_assert_uint_eq(u64_at(48), 1);
	ck_assert_int_eq(end(start(be_worker)), 0);
}
END_TEST

START_TEST(the_second_order_counts_from_the_first)
{
	fresh();
	order(0, POINT_DAEMON, 2, 2);
	order(1, POINT_DAEMON, 2, 4);
	ck_assert_int_eq(WTERMSIG(end(start(be_daemon))), SIGKILL);
	ck_assert_uint_eq(u64_at(32), 2);
	ck_assert_int_eq(WTERMSIG(end(start(be_daemon))), SIGKILL);
	ck_assert_uint_eq(u64_at(16), 6);
	ck_assert_uint_eq(u64_at(48), 2);
	ck_assert_int_eq(end(start(be_daemon)), 0);
}
END_TEST

static void wait_for_death(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void kill_worker_of_mine(void)
{
	pid_t worker = start(wait_for_death);
	siginfo_t info = { 0 };

	point_init(POINT_DAEMON);
	point_worker(worker);
	POINT("before-order");
	/* dead already, not only told to die */
	_exit(waitid(P_PID, (id_t)worker, &info, WEXITED | WNOHANG) == 0 && info.si_pid == worker &&
			      info.si_status == SIGKILL
		      ? 0
		      : 1);
}

START_TEST(the_daemon_kills_the_worker_and_sees_it_dead)
{
	fresh();
	order(0, POINT_DAEMON, 1, 1);
	ck_assert_int_eq(end(start(kill_worker_of_mine)), 0);
}
END_TEST

START_TEST(both_die_where_both_are_to)
{
	pid_t daemon;

	fresh();
	daemon = start(wait_for_death);
	memcpy(file + 8, &daemon, sizeof(uint32_t));
	order(0, POINT_WORKER, 3, 1);
	ck_assert_int_eq(WTERMSIG(end(start(be_worker))), SIGKILL);
	ck_assert_int_eq(WTERMSIG(end(daemon)), SIGKILL);
}
END_TEST

static void fork_within(void)
{
	point_init(POINT_WORKER);
	end(start(reach_five));
	reach_five();
}

static void filter(size_t n, const char *name)
{
	strncpy((char *)file + 196848 + 40 * n + 8, name, 31);
}

static void reach_by_name(void)
{
	point_init(POINT_DAEMON);
	POINT("other");
	POINT("named");
	POINT("other");
	POINT("named");
	reach_five();
}

START_TEST(an_order_may_count_points_of_one_name_alone)
{
	fresh();
	order(0, POINT_DAEMON, 2, 2);
	filter(0, "named");
	ck_assert_int_eq(WTERMSIG(end(start(reach_by_name))), SIGKILL);
	ck_assert_uint_eq(u64_at(16), 4);
	ck_assert_uint_eq(u64_at(48), 1);
}
END_TEST

START_TEST(what_a_process_forks_does_not_count)
{
	fresh();
	ck_assert_int_eq(end(start(fork_within)), 0);
	ck_assert_uint_eq(u64_at(24), 5);
}
END_TEST

static void ask_for_faults(void)
{
	bool once, for_good;

	point_init(POINT_DAEMON);
	once = POINT_FAULT("sync") == 0 && POINT_FAULT("sync") == EIO && POINT_FAULT("sync") == 0;
	for_good = POINT_FAULT("write") == ENOSPC && POINT_FAULT("write") == ENOSPC;
	_exit(once && for_good && POINT_FAULT("allocation") == 0 ? 0 : 1);
}

START_TEST(the_write_or_sync_that_was_named_fails_once_or_for_good)
{
	fresh();
	fault(0, POINT_DAEMON, EIO, 0, 2);
	fault(1, POINT_DAEMON, ENOSPC, 1, 1);
	fault(2, POINT_WORKER, ENOMEM, 1, 1);
	ck_assert_int_eq(end(start(ask_for_faults)), 0);
	ck_assert_uint_eq(u64_at(88 + 24), 3);
	ck_assert_uint_eq(u64_at(88 + 40), 1);
	ck_assert_uint_eq(u64_at(136 + 40), 2);
	ck_assert_uint_eq(u64_at(184 + 40), 0);
}
END_TEST

static void be_silent(void)
{
	close(STDERR_FILENO);
	point_init(POINT_DAEMON);
}

START_TEST(a_file_of_something_else_ends_the_process)
{
	fresh();
	file[0] = 'X';
	ck_assert_int_eq(WEXITSTATUS(end(start(be_silent))), EXIT_FAILURE);
	setenv("RYUSO_POINTS", "/nonexistent", 1);
	ck_assert_int_eq(WEXITSTATUS(end(start(be_silent))), EXIT_FAILURE);
}
END_TEST

CHECK_MAIN(point, without_the_file_nothing_is_counted_and_nothing_fails,
	   points_are_counted_by_side_and_named_in_the_log, the_process_dies_at_the_point_that_was_ordered,
	   the_second_order_counts_from_the_first, the_daemon_kills_the_worker_and_sees_it_dead,
	   both_die_where_both_are_to, an_order_may_count_points_of_one_name_alone, what_a_process_forks_does_not_count,
	   the_write_or_sync_that_was_named_fails_once_or_for_good, a_file_of_something_else_ends_the_process)
