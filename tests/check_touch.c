/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "worker/touch.h"

static bool told; /* whether the kernel tells at all */

static void begin(void)
{
	touch_watch();
	told = !touch_made();
}

static void expect(bool made)
{
	ck_assert_int_eq(touch_made(), made || !told);
}

START_TEST(a_hook_that_only_reckons_has_made_no_system_call)
{
	volatile unsigned sum = 0;

	begin();
	touch_watch();
	for (unsigned i = 0; i < 1000; i++)
		sum += i;
	expect(false);
	ck_assert_uint_eq(sum, 499500);
}
END_TEST

START_TEST(a_system_call_is_seen_and_made)
{
	pid_t pid = getpid();
	long found;

	begin();
	touch_watch();
	found = syscall(SYS_getpid);
	expect(true);
	ck_assert_int_eq(found, pid);
	touch_watch();
	expect(false);
}
END_TEST

START_TEST(one_that_bypasses_the_library_is_seen_too)
{
#ifdef __x86_64__
	pid_t pid = getpid();
	long found;

	begin();
	touch_watch();
	__asm__ volatile("syscall" : "=a"(found) : "0"((long)SYS_getpid) : "rcx", "r11", "memory");
	expect(true);
	ck_assert_int_eq(found, pid);
#endif
}
END_TEST

START_TEST(a_child_is_born_and_is_not_watched)
{
	int status = -1;
	pid_t pid;

	begin();
	touch_watch();
	pid = fork();
	if (pid == 0)
		_exit(getppid() > 0 ? 7 : 8);
	expect(true);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
END_TEST

START_TEST(a_hook_that_takes_the_signal_for_itself_does_not_blind_the_next_watch)
{
	sigset_t all;

	begin();
	touch_watch();
	signal(SIGSYS, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	expect(true);
	touch_watch();
	expect(false);
	touch_watch();
	(void)syscall(SYS_getppid);
	expect(true);
}
END_TEST

CHECK_MAIN(touch, a_hook_that_only_reckons_has_made_no_system_call, a_system_call_is_seen_and_made,
	   one_that_bypasses_the_library_is_seen_too, a_child_is_born_and_is_not_watched,
	   a_hook_that_takes_the_signal_for_itself_does_not_blind_the_next_watch)
