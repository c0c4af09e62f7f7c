/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/pool_private.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define INDEX_THRESHOLD 24U /* up to so many keys, names are compared one by one */
#define NO_KEY UINT32_MAX

static uint32_t name_hash(const char *name, size_t size)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619U;
	return hash;
}

static bool name_is(const Slot *slot, const char *name, size_t size)
{
	return slot->name_size == size && memcmp(slot->name, name, size) == 0;
}

static void index_put(Pool *pool, uint32_t key)
{
	const Slot *slot = &pool->slots[key];
	uint32_t mask = pool->index_size - 1;
	uint32_t at = name_hash(slot->name, slot->name_size) & mask;

	while (pool->index[at] != NO_KEY)
		at = (at + 1) & mask;
	pool->index[at] = key;
}

/* Keeps the index at most half full, for n_slots + 1 keys. */
static int index_fit(Pool *pool)
{
	uint32_t size = 64, *index;

	if (pool->n_slots < INDEX_THRESHOLD || (pool->n_slots + 1) * 2 <= pool->index_size)
		return 0;
	while (size < (pool->n_slots + 1) * 2)
		size *= 2;

	index = malloc(size * sizeof(*index));
	if (!index)
		return -ENOMEM;
	memset(index, 0xff, size * sizeof(*index));
	free(pool->index);
	pool->index = index;
	pool->index_size = size;
	for (uint32_t key = 0; key < pool->n_slots; key++)
		index_put(pool, key);
	return 0;
}

static uint32_t find(const Pool *pool, const char *name, size_t size)
{
	uint32_t at;

	if (!pool->index) {
		for (uint32_t key = 0; key < pool->n_slots; key++)
			if (name_is(&pool->slots[key], name, size))
				return key;
		return NO_KEY;
	}

	at = name_hash(name, size) & (pool->index_size - 1);
	while (pool->index[at] != NO_KEY) {
		if (name_is(&pool->slots[pool->index[at]], name, size))
			return pool->index[at];
		at = (at + 1) & (pool->index_size - 1);
	}
	return NO_KEY;
}

int pool_new(const char *const *keys, uint32_t n_keys, Pool **ret)
{
	_cleanup_pool_ Pool *pool = NULL;
	int r;

	if (n_keys > POOL_KEYS_MAX)
		return -E2BIG;
	pool = zalloc(sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->capacity = n_keys + 8;
	pool->slots = zalloc(pool->capacity * sizeof(*pool->slots));
	if (!pool->slots)
		return -ENOMEM;
	for (uint32_t key = 0; key < n_keys; key++) {
		pool->slots[key].name = keys[key];
		pool->slots[key].name_size = strlen(keys[key]);
	}
	pool->n_slots = pool->n_borrowed = n_keys;
	r = index_fit(pool);
	if (r < 0)
		return r;
	*ret = take_ptr(pool);
	return 0;
}

Pool *pool_free(Pool *pool)
{
	if (!pool)
		return NULL;
	for (uint32_t key = 0; key < pool->n_slots; key++) {
		value_done(&pool->slots[key].base.value);
		value_done(&pool->slots[key].overlay.value);
		if (key >= pool->n_borrowed)
			free((char *)pool->slots[key].name);
	}
	for (size_t i = 0; i < pool->n_history; i++)
		value_done(&pool->history[i].old.value);
	free(pool->slots);
	free(pool->history);
	free(pool->index);
	free(pool);
	return NULL;
}

static int slots_fit(Pool *pool)
{
	uint32_t capacity = pool->capacity * 2;
	Slot *slots;

	if (pool->n_slots < pool->capacity)
		return 0;
	if (pool->n_slots >= POOL_KEYS_MAX)
		return -E2BIG;
	slots = realloc(pool->slots, capacity * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + pool->capacity, 0, (capacity - pool->capacity) * sizeof(*slots));
	pool->slots = slots;
	pool->capacity = capacity;
	return 0;
}

int pool_intern_sized(Pool *pool, const char *name, size_t size, uint32_t *ret_key)
{
	uint32_t key = find(pool, name, size);
	char *copy;
	int r;

	if (key != NO_KEY) {
		*ret_key = key;
		return 0;
	}

	if (pool->n_slots >= POOL_KEYS_MAX)
		return -E2BIG;
	r = slots_fit(pool);
	if (r < 0)
		return r;
	r = index_fit(pool);
	if (r < 0)
		return r;
	copy = strndup(name, size);
	if (!copy)
		return -ENOMEM;
	key = pool->n_slots++;
	pool->slots[key].name = copy;
	pool->slots[key].name_size = size;
	if (pool->index)
		index_put(pool, key);
	*ret_key = key;
	return 0;
}

int pool_intern(Pool *pool, const char *name, uint32_t *ret_key)
{
	return pool_intern_sized(pool, name, strlen(name), ret_key);
}

uint32_t pool_find(const Pool *pool, const char *name)
{
	return find(pool, name, strlen(name));
}

const char *pool_key_name(const Pool *pool, uint32_t key)
{
	return pool->slots[key].name;
}

uint32_t pool_n_keys(const Pool *pool)
{
	return pool->n_slots;
}

static Held *visible(const Slot *slot)
{
	return (Held *)(slot->overlay.value.type != VALUE_NONE ? &slot->overlay : &slot->base);
}

const Value *pool_get(const Pool *pool, uint32_t key)
{
	const Value *value;

	if (key >= pool->n_slots)
		return NULL;
	value = &visible(&pool->slots[key])->value;
	return value->type != VALUE_NONE ? value : NULL;
}

static int history_fit(Pool *pool)
{
	size_t capacity = pool->history_capacity ? pool->history_capacity * 2 : 16;
	Change *history;

	if (pool->n_history < pool->history_capacity)
		return 0;
	history = realloc(pool->history, capacity * sizeof(*history));
	if (!history)
		return -ENOMEM;
	pool->history = history;
	pool->history_capacity = capacity;
	return 0;
}

int pool_put(Pool *pool, uint32_t key, Value *value)
{
	Slot *slot;
	int r;

	if (key >= pool->n_slots)
		return -EINVAL;
	slot = &pool->slots[key];
	if (pool->overlaid) {
		value_done(&slot->overlay.value);
		slot->overlay = (Held){ .value = TAKE(*value, (Value){ 0 }) };
		return 0;
	}

	r = history_fit(pool);
	if (r < 0)
		return r;
	pool->history[pool->n_history++] = (Change){ .key = key, .old = slot->base };
	slot->base = (Held){ .value = TAKE(*value, (Value){ 0 }) };
	return 0;
}

int pool_set(Pool *pool, uint32_t key, const Value *value)
{
	_cleanup_value_ Value copy = { 0 };
	int r;

	r = value_copy(value, &copy);
	return r < 0 ? r : pool_put(pool, key, &copy);
}

void pool_open_overlay(Pool *pool)
{
	pool->overlaid = true;
}

size_t pool_mark(const Pool *pool)
{
	return pool->n_history;
}

void pool_rewind(Pool *pool, size_t mark)
{
	while (pool->n_history > mark) {
		Change *change = &pool->history[--pool->n_history];
		Held *base = &pool->slots[change->key].base;

		value_done(&base->value);
		*base = change->old;
	}
}

static size_t held_size(const Slot *slot, Held *held)
{
	if (held->value.type == VALUE_NONE)
		return 0;
	if (held->size == 0)
		held->size = value_size(&held->value);
	return sizeof(uint32_t) + slot->name_size + held->size;
}

size_t pool_size(const Pool *pool)
{
	size_t size = 0;

	for (uint32_t key = 0; key < pool->n_slots; key++)
		size += held_size(&pool->slots[key], visible(&pool->slots[key]));
	return size;
}

size_t pool_value_size(const Pool *pool, uint32_t key, const Value *value)
{
	return sizeof(uint32_t) + pool->slots[key].name_size + value_size(value);
}

size_t pool_overlay_size(const Pool *pool)
{
	size_t size = 0;

	for (uint32_t key = 0; key < pool->n_slots; key++)
		size += held_size(&pool->slots[key], &pool->slots[key].overlay);
	return size;
}
