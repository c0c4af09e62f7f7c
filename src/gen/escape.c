/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LITERAL_BYTES 90U
#define COMMENT_COLUMNS 100U

/* '?' is escaped so that no two of them make a trigraph; octal escapes have three digits, so that what follows is never
 * taken for part of them. */
static void literal_byte(unsigned char byte, Buffer *buffer)
{
	switch (byte) {
	case '\n':
		buffer_text(buffer, "\\n");
		break;
	case '\t':
		buffer_text(buffer, "\\t");
		break;
	case '"':
	case '\\':
	case '?':
		buffer_append(buffer, (char[]){ '\\', (char)byte }, 2);
		break;
	default:
		if (byte >= 0x20 && byte < 0x7f)
			buffer_append(buffer, &byte, 1);
		else
			buffer_format(buffer, "\\%03o", byte);
	}
}

static void literal(const char *text, size_t size, Buffer *buffer)
{
	buffer_text(buffer, "\"");
	for (size_t i = 0; i < size; i++)
		literal_byte((unsigned char)text[i], buffer);
	buffer_text(buffer, "\"");
}

void escape_string(const char *text, size_t size, Buffer *buffer)
{
	literal(text, size, buffer);
}

void escape_lines(const char *text, size_t size, Buffer *buffer)
{
	do {
		const char *newline = memchr(text, '\n', MIN(size, LITERAL_BYTES));
		size_t n = newline ? (size_t)(newline - text) + 1 : MIN(size, LITERAL_BYTES);

		buffer_text(buffer, "\t");
		literal(text, n, buffer);
		buffer_text(buffer, "\n");
		text += n;
		size -= n;
	} while (size > 0);
}

/* One character of UTF-8, read leniently: the text was checked when the spec was read. */
static size_t character(const char *text, uint32_t *ret)
{
	unsigned char first = (unsigned char)text[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t code = n == 1 ? first : first & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if (!text[i]) {
			n = i;
			break;
		}
		code = code << 6 | ((unsigned char)text[i] & 0x3fU);
	}
	*ret = code;
	return n;
}

/* Characters that change the direction of what stands around them. */
static bool is_bidirectional(uint32_t code)
{
	return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0x200e ||
	       code == 0x200f || code == 0x061c;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/* Pairs that mean something in a comment are taken apart by a blank: the ends of it, a beginning within it (compilers
 * warn), trigraphs. A backslash is taken apart from a line's end by never standing there: see comment_bytes(). */
static bool is_pair(char before, char now)
{
	return (before == '*' && now == '/') || (before == '/' && now == '*') || (before == '?' && now == '?');
}

/* \p text from \p from to \p to, in a comment. */
static void comment_bytes(const char *from, const char *to, Buffer *buffer)
{
	char before = ' ';

	while (from < to) {
		uint32_t code;
		size_t n = character(from, &code);

		if (is_pair(before, *from))
			buffer_text(buffer, " ");
		if (is_bidirectional(code))
			buffer_format(buffer, "<U+%04X>", code);
		else if (is_control(code))
			buffer_text(buffer, " ");
		else
			buffer_append(buffer, from, n);
		before = *from;
		from += n;
	}
	if (before == '\\')
		buffer_text(buffer, " ");
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f' || byte == '\v';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

static const char *word_end(const char *text)
{
	while (*text && !is_blank(*text))
		text++;
	return text;
}

static size_t columns(const char *from, const char *to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += ((unsigned char)*from & 0xc0) != 0x80;
	return n;
}

void escape_comment(const char *text, const char *indent, Buffer *buffer)
{
	size_t column = 4;

	text = skip_blanks(text);
	if (!*text)
		return;
	buffer_format(buffer, "%s/**", indent);
	while (*text) {
		const char *end = word_end(text);

		if (column > 4 && column + columns(text, end) > COMMENT_COLUMNS) {
			buffer_format(buffer, "\n%s *", indent);
			column = 4;
		}
		buffer_text(buffer, " ");
		comment_bytes(text, end, buffer);
		column += columns(text, end) + 1;
		text = skip_blanks(end);
	}
	buffer_text(buffer, " */\n");
}

void escape_inline(const char *text, size_t max, Buffer *buffer)
{
	const char *end = text;
	uint32_t code;

	while (*end && (size_t)(end - text) < max)
		end += character(end, &code);
	comment_bytes(text, end, buffer);
	if (*end)
		buffer_text(buffer, "…");
}
