/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arguments of a program as they stand on the command line: NAME=VALUE (converted to the declared type),
 * NAME=@FILE (the same, from a file) and NAME:=JSON (as it is). They become the members of a request's data_pool. */
#pragma once

#include "base/json.h"

typedef enum PairKind {
	PAIR_TEXT,
	PAIR_FILE,
	PAIR_JSON,
} PairKind;

typedef struct Pair {
	char *name; /* owned */
	PairKind kind;
	const char *value; /* borrowed from the word; of a file, its path */
} Pair;

typedef struct Pairs {
	Pair *items;
	size_t n;
} Pairs;

void pairs_done(Pairs *pairs);
#define _cleanup_pairs_ _cleanup_(pairs_done)

/** \brief -EINVAL with a sentence in \p message; -ENOMEM. */
int pairs_parse(char *const *words, size_t n, Pairs *ret, Buffer *message);
/** \brief Whether a value's type must be asked for. */
bool pairs_need_types(const Pairs *pairs);
/** \brief Adds them to \p pool (an object). \p declared: `args` of the answer to `describe`, or NULL where no types are
 * needed. -EINVAL with a sentence in \p message that names the argument; -ENOMEM. */
int pairs_add(const Pairs *pairs, struct json_object *declared, struct json_object *pool, Buffer *message);
