/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people and for the journal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/** \brief How many bytes follow a first byte of UTF-8 (RFC 3629), with the bounds of the next one; 0 where \p byte is
 * ASCII or begins no character. */
unsigned text_utf8_lead(uint8_t byte, uint8_t *ret_low, uint8_t *ret_high);
/** \brief Bytes of the character that \p text begins with, 0 where it begins with none. U+0000 is one. */
size_t text_utf8_length(const char *text, size_t size);
/** \brief Whether the bytes are UTF-8 (RFC 3629) without U+0000. */
bool text_is_utf8(const char *text, size_t size);
/** \brief Appends \p text with control characters (C0, DEL, C1) and bytes that are not UTF-8 as \\xNN, at most \p max
 * bytes of it, cut between characters and then marked with "…". */
void text_escape(const char *text, size_t size, size_t max, Buffer *buffer);
/** \brief Edits (insert, delete, replace, swap of neighbours) that lead from \p a to \p b; at most \p max + 1 is
 * returned. */
unsigned text_distance(const char *a, const char *b, unsigned max);
/** \brief The one of \p candidates that \p word was perhaps meant to be (distance at most a third of its length, at
 * least 1), or NULL. Borrowed. */
const char *text_closest(const char *word, const char *const *candidates, size_t n_candidates);
bool text_is_identifier(const char *text); /* of C: [A-Za-z_][A-Za-z0-9_]* */
