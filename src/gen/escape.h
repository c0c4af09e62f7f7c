/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from a spec, made safe to stand in C: string literals and comments, whatever the text holds. What comes out is
 * printable ASCII in literals; in comments, UTF-8 that can neither end the comment nor mislead who reads it. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"

/** \brief \p text as one string literal, quotes included. */
void escape_string(const char *text, size_t size, Buffer *buffer);
/** \brief \p text as string literals, one a line (of the text, or of some 90 bytes of it), each indented by a tab and
 * ended by a newline: compilers join them. */
void escape_lines(const char *text, size_t size, Buffer *buffer);
/** \brief \p text as a comment of its own before a declaration, each line behind \p indent, wrapped at some 100
 * columns, newline at the end; nothing where \p text is empty. */
void escape_comment(const char *text, const char *indent, Buffer *buffer);
/** \brief \p text as part of a comment, on one line, cut after \p max bytes. */
void escape_inline(const char *text, size_t max, Buffer *buffer);
