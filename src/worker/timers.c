/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/timers.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "base/macro.h"

static const int clocks[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
static _Atomic unsigned made;
static unsigned made_before;

void timers_mark(void)
{
	made_before = atomic_load(&made);
}

bool timers_left(void)
{
	bool left = atomic_load(&made) != made_before;
	struct itimerval before;

	for (size_t i = 0; i < ELEMENTSOF(clocks); i++)
		if (setitimer(clocks[i], &(struct itimerval){ 0 }, &before) == 0)
			left = left || before.it_value.tv_sec != 0 || before.it_value.tv_usec != 0;
	return left;
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *ret)
{
	__typeof__(&timer_create) real = (__typeof__(real))dlsym(RTLD_NEXT, "timer_create");

	atomic_fetch_add(&made, 1);
	if (real)
		return real(clock, event, ret);
	errno = EAGAIN;
	return -1;
}
