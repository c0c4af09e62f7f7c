/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>
#include <threads.h>

static _Atomic unsigned begun;
static unsigned begun_before;
static bool was_single;

void threads_mark(void)
{
	begun_before = atomic_load(&begun);
	was_single = __libc_single_threaded;
}

bool threads_begun(void)
{
	return atomic_load_explicit(&begun, memory_order_relaxed) != begun_before ||
	       (was_single && !__libc_single_threaded);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	__typeof__(&pthread_create) real = (__typeof__(real))dlsym(RTLD_NEXT, "pthread_create");

	atomic_fetch_add(&begun, 1);
	return real ? real(thread, attributes, start, argument) : EAGAIN;
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
	__typeof__(&thrd_create) real = (__typeof__(real))dlsym(RTLD_NEXT, "thrd_create");

	atomic_fetch_add(&begun, 1);
	return real ? real(thread, start, argument) : thrd_error;
}
