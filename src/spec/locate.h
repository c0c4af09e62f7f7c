/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in a JSON text the values are: a scanner that goes through a text and names the path of everything it meets.
 * Meant for texts that base/json has parsed already; on others it stops at what it does not understand. */
#pragma once

#include <stddef.h>

typedef struct LocatePlace {
	size_t name;  /* offset of the member's name (its first quote); of the value where it is no member */
	size_t value; /* offset of the value's first byte */
} LocatePlace;

/** \brief \p path is a JSON pointer ("" for the whole), borrowed for the call. Returns 0 to go on, 1 to hear nothing of
 * what lies within this value, a negative errno to stop. */
typedef int (*LocateFunction)(const char *path, const LocatePlace *place, void *userdata);

/** \brief Calls \p on_place for every value, from outside inwards, in the order of the text. -EBADMSG where the text is
 * not JSON. */
int locate_each(const char *text, size_t size, LocateFunction on_place, void *userdata);
/** \brief Calls \p on_repeat for every member whose name its object had already, but not for what is in it. */
int locate_repeats(const char *text, size_t size, LocateFunction on_repeat, void *userdata);
/** \brief The first value of that path; -ENOENT. */
int locate_find(const char *text, size_t size, const char *path, LocatePlace *ret);
