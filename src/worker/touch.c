/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/touch.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

#if defined(__x86_64__) && defined(PR_SET_SYSCALL_USER_DISPATCH)

#define INSTRUCTION_SIZE 2 /* of "syscall" and of "int 0x80" */
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2 /* glibc names it from 2.37 on */
#endif

/* Read by the kernel at every system call of this thread. */
static volatile char selector = SYSCALL_DISPATCH_FILTER_ALLOW;
static volatile sig_atomic_t made = 1;
static bool armed;

/* The first system call: it is noted, made after all, and so are all that follow. */
static void on_system_call(int number, siginfo_t *info, void *userdata)
{
	ucontext_t *context = userdata;

	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	made = 1;
	if (info->si_code != SYS_USER_DISPATCH) {
		/* a filter's, or somebody's signal: what it does by default comes when this returns */
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	context->uc_mcontext.gregs[REG_RIP] -= INSTRUCTION_SIZE;
	context->uc_mcontext.gregs[REG_RAX] = info->si_syscall;
}

/* valgrind makes system calls of its own in this thread, and would not bear it. */
static bool in_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "vgpreload");
}

/* A hook that makes system calls may have undone any of it. */
static bool arm(void)
{
	struct sigaction action = { .sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	return !in_valgrind() && sigaction(SIGSYS, &action, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 &&
	       prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0L, 0L, &selector) == 0;
}

void touch_watch(void)
{
	if (made)
		armed = arm();
	made = !armed;
	if (armed)
		selector = SYSCALL_DISPATCH_FILTER_BLOCK;
}

bool touch_made(void)
{
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	return made;
}

#else

void touch_watch(void)
{
}

bool touch_made(void)
{
	return true;
}

#endif
