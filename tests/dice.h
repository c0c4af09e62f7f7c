/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers for tests: the seed is printed, and RYUSO_SEED in the environment makes the same ones again. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Dice {
	uint64_t state;
} Dice;

static inline Dice dice_take(const char *test)
{
	const char *given = getenv("RYUSO_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003U;

	fprintf(stderr, "# %s: RYUSO_SEED=%" PRIu64 "\n", test, seed);
	return (Dice){ .state = seed };
}

/* splitmix64 */
static inline uint64_t dice_roll(Dice *dice)
{
	uint64_t value = dice->state += 0x9e3779b97f4a7c15U;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
	value = (value ^ value >> 27) * 0x94d049bb133111ebU;
	return value ^ value >> 31;
}

/* 0 … n - 1 */
static inline size_t dice_below(Dice *dice, size_t n)
{
	return (size_t)(dice_roll(dice) % n);
}
