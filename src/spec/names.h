/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and their numbers, in the order in which they were added: how programs, hooks, functions and keys are found. A
 * hash table of borrowed strings, which must outlive it. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

#define NAMES_NONE UINT32_MAX

typedef struct Names {
	const char **items; /* by number */
	uint32_t n;
	uint32_t capacity;
	uint32_t *slots; /* number + 1; 0: free */
	uint32_t n_slots;
} Names;

void names_done(Names *names);
#define _cleanup_names_ _cleanup_(names_done)

/** \brief The number of \p name, or NAMES_NONE. */
uint32_t names_find(const Names *names, const char *name);
/** \brief 1 where \p name is new, 0 where it was there; -ENOMEM. */
int names_add(Names *names, const char *name, uint32_t *ret_number);
