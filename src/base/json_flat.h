/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of an object one by one, straight from text that json_scan() has accepted, and without a tree: for what
 * is read often and is mostly scalars. Whoever is told that something is not that plain builds the tree after all. */
#pragma once

#include "base/value.h"

/** \brief Borrowed from the text. */
typedef struct JsonMember {
	const char *name;
	size_t name_size;
	ValueType type; /* NONE: null. DICT: an object, whose members come next, and its end */
	union {
		struct {
			const char *data;
			size_t size;
		} string; /* UTF-8 without escapes */
		int64_t integer;
		double real;
		bool boolean;
	};
} JsonMember;

typedef struct JsonFlat {
	const char *at;
	const char *end;
} JsonFlat;

/** \brief Begins within the object that \p text is. -ENOTSUP where it is none. */
int json_flat_init(JsonFlat *flat, const char *text, size_t size);
/** \brief 1: a member; 0: the end of an object; -ENOTSUP: a list, an escape, or not the text that was scanned. Nothing
 * beyond the text is read. Names may repeat. */
int json_flat_next(JsonFlat *flat, JsonMember *ret);

/** \brief How many bytes from \p text on stand for themselves in a string: ASCII, but neither quote, backslash nor
 * control characters below U+0020. */
size_t json_plain_size(const char *text, size_t size);
