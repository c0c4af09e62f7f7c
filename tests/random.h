/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers for tests that can be run again: the seed is printed, and RYUSO_SEED sets it. xorshift64*. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct Random {
	uint64_t seed;
	uint64_t state;
} Random;

/** \brief The state for case \p number: each case can be run alone. */
static inline void random_case(Random *random, uint64_t number)
{
	random->state = (random->seed ^ number * 0x9e3779b97f4a7c15ULL) | 1;
}

static inline void random_init(Random *random)
{
	const char *text = getenv("RYUSO_SEED");

	random->seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) * 1000003U ^ (uint64_t)getpid();
	random_case(random, 0);
	printf("# RYUSO_SEED=%" PRIu64 "\n", random->seed);
	fflush(stdout);
}

static inline uint64_t random_next(Random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dULL;
}

/** \brief From 0 to \p limit - 1. */
static inline size_t random_below(Random *random, size_t limit)
{
	return (size_t)((random_next(random) >> 16) % limit);
}
