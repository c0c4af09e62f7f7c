/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/orphans.h"

static pid_t child_that_waits(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Until nothing is left: each round waits for a child of ours to change. */
static void clear(const pid_t *keep, size_t n_keep)
{
	siginfo_t info;
	int left;

	while ((left = orphans_clear(keep, n_keep)) > 0)
		ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(left, 0);
}

START_TEST(every_child_is_ended_but_those_that_are_kept)
{
	pid_t kept = child_that_waits(), other = child_that_waits();

	clear(&kept, 1);
	ck_assert_int_eq(kill(other, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(kill(kept, 0), 0);
	clear(NULL, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(what_falls_to_us_while_we_clear_is_ended_too)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L), 0);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0 && fork() == 0)
			setsid();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	clear(NULL, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(without_children_there_is_nothing_to_clear)
{
	ck_assert_int_eq(orphans_clear(NULL, 0), 0);
}
END_TEST

CHECK_MAIN(orphans, every_child_is_ended_but_those_that_are_kept, what_falls_to_us_while_we_clear_is_ended_too,
	   without_children_there_is_nothing_to_clear)
