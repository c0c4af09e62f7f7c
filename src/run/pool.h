/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data pool of one run: key → value, with the history that lets it be rewound. Keys are numbers: the plan's keys
 * first, then whatever else turns up (metadata, keys of untyped setters). Forward writes go to the base and into a
 * history; on the way back the base is rewound, and what rectifiers write lies in an overlay above it (rule 22). The
 * pool owns its values. */
#pragma once

#include "base/buffer.h"
#include "base/value.h"

#define POOL_KEYS_MAX 65536U

typedef struct Pool Pool;

typedef struct PoolWrite {
	uint32_t key;
	Value value;
} PoolWrite;

void pool_writes_free(PoolWrite *writes, size_t n);

/** \brief \p keys are borrowed and become keys 0 … n_keys - 1. */
int pool_new(const char *const *keys, uint32_t n_keys, Pool **ret);
Pool *pool_free(Pool *pool);
DEFINE_CLEANUP(Pool *, pool_free)
#define _cleanup_pool_ _cleanup_(pool_freep)

/** \brief The number of \p name, made if it is new. -ENOMEM, -E2BIG beyond POOL_KEYS_MAX. */
int pool_intern(Pool *pool, const char *name, uint32_t *ret_key);
/** \brief The number of \p name, or UINT32_MAX. */
uint32_t pool_find(const Pool *pool, const char *name);
const char *pool_key_name(const Pool *pool, uint32_t key);
uint32_t pool_n_keys(const Pool *pool);

/** \brief What a hook sees under \p key: the overlay's value, else the base's; NULL where there is none. Borrowed until
 * the next change. */
const Value *pool_get(const Pool *pool, uint32_t key);
/** \brief Sets \p key; \p value is copied. In the base (recorded in the history), or in the overlay once it is open. */
int pool_set(Pool *pool, uint32_t key, const Value *value);
/** \brief The same of a value that is the caller's: where it succeeds, it is taken. */
int pool_put(Pool *pool, uint32_t key, Value *value);
/** \brief The overlay is opened by the first step of the way back and stays open; writes go there from then on. */
void pool_open_overlay(Pool *pool);
/** \brief A place in the base's history, to be rewound to. */
size_t pool_mark(const Pool *pool);
/** \brief Undoes the base's writes since \p mark; the overlay stays. */
void pool_rewind(Pool *pool, size_t mark);
/** \brief Bytes that the visible values and their names take when encoded: what the cap of a run's pool is measured by.
 */
size_t pool_size(const Pool *pool);
/** \brief What this value takes of it under that key. */
size_t pool_value_size(const Pool *pool, uint32_t key, const Value *value);
/** \brief The same of the overlay alone: the cap on rectifiers' writes. */
size_t pool_overlay_size(const Pool *pool);

/** \brief u32 count, then (name, value) each: a request's arguments in an order or a START record, a step's changes in
 * an END record. */
void pool_encode_writes(const Pool *pool, const PoolWrite *writes, size_t n, Buffer *buffer);
/** \brief Puts each into the pool. Where it fails, those before are there. */
int pool_decode(Pool *pool, Reader *reader);
/** \brief Interns the names. The caller frees with pool_writes_free(). */
int pool_decode_writes(Pool *pool, Reader *reader, PoolWrite **ret, size_t *ret_n);
