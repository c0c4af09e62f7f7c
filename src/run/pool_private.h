/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pool's files share: pool.c keeps the values, pool_writes.c reads and writes those that are set. */
#pragma once

#include "run/pool.h"

/* A value, and how many bytes it takes when encoded once somebody has asked (0: nobody has). */
typedef struct Held {
	Value value;
	size_t size;
} Held;

typedef struct Slot {
	const char *name; /* borrowed for the first n_borrowed keys, owned for the rest */
	size_t name_size;
	Held base;
	Held overlay;
} Slot;

typedef struct Change {
	uint32_t key;
	Held old;
} Change;

struct Pool {
	Slot *slots;
	uint32_t n_slots, capacity;
	uint32_t n_borrowed;
	Change *history;
	size_t n_history, history_capacity;
	uint32_t *index; /* open addressing over names, holding keys; NULL while there are few */
	uint32_t index_size;
	bool overlaid;
};

/** \brief pool_intern() of a name of \p size bytes. */
int pool_intern_sized(Pool *pool, const char *name, size_t size, uint32_t *ret_key);
