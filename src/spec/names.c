/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/names.h"

#include <errno.h>
#include <string.h>

#define NAMES_FIRST 16U

void names_done(Names *names)
{
	free(names->items);
	free(names->slots);
	*names = (Names){ 0 };
}

/* FNV-1a, 32 bits. */
static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return hash ^ hash >> 15;
}

/* The slot that holds `name`, or the free one where it belongs. */
static uint32_t *names_slot(const Names *names, const char *name)
{
	uint32_t at = name_hash(name) & (names->n_slots - 1);

	while (names->slots[at] != 0 && strcmp(names->items[names->slots[at] - 1], name) != 0)
		at = (at + 1) & (names->n_slots - 1);
	return &names->slots[at];
}

uint32_t names_find(const Names *names, const char *name)
{
	return names->n == 0 ? NAMES_NONE : *names_slot(names, name) - 1;
}

static int names_grow(Names *names)
{
	uint32_t capacity = names->capacity ? names->capacity * 2 : NAMES_FIRST;
	const char **items = reallocarray(names->items, capacity, sizeof(*items));
	uint32_t *slots;

	if (!items)
		return -ENOMEM;
	names->items = items;
	slots = calloc(capacity, 2 * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(names->slots);
	names->slots = slots;
	names->n_slots = capacity * 2;
	names->capacity = capacity;
	for (uint32_t i = 0; i < names->n; i++)
		*names_slot(names, items[i]) = i + 1;
	return 0;
}

int names_add(Names *names, const char *name, uint32_t *ret_number)
{
	uint32_t *slot;
	int r;

	if (names->n == names->capacity) {
		r = names_grow(names);
		if (r < 0)
			return r;
	}
	slot = names_slot(names, name);
	if (*slot != 0) {
		*ret_number = *slot - 1;
		return 0;
	}
	names->items[names->n] = name;
	*ret_number = names->n;
	*slot = ++names->n;
	return 1;
}
