/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time is measured by the monotonic clock, in microseconds; the wall clock is only shown. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_usec(clockid_t id)
{
	struct timespec time;

	clock_gettime(id, &time);
	return (uint64_t)time.tv_sec * 1000000U + (uint64_t)time.tv_nsec / 1000U;
}

static inline uint64_t clock_monotonic(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

static inline uint64_t clock_realtime(void)
{
	return clock_usec(CLOCK_REALTIME);
}
