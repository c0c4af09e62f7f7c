/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "hook/current.h"

static bool continues(const unsigned char *at, unsigned low, unsigned high)
{
	return *at >= low && *at <= high;
}

/* Bytes of the character at \p at, or 0 where none of RFC 3629 begins there. A NUL ends every search. */
static size_t character_size(const unsigned char *at)
{
	unsigned low = 0x80, high = 0xBF;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xC2 && at[0] <= 0xDF)
		return continues(at + 1, low, high) ? 2 : 0;
	if ((at[0] & 0xF0) == 0xE0) {
		low = at[0] == 0xE0 ? 0xA0 : low;
		high = at[0] == 0xED ? 0x9F : high;
		return continues(at + 1, low, high) && continues(at + 2, 0x80, 0xBF) ? 3 : 0;
	}
	if (at[0] < 0xF0 || at[0] > 0xF4)
		return 0;
	low = at[0] == 0xF0 ? 0x90 : low;
	high = at[0] == 0xF4 ? 0x8F : high;
	return continues(at + 1, low, high) && continues(at + 2, 0x80, 0xBF) && continues(at + 3, 0x80, 0xBF) ? 4 : 0;
}

/* Takes an unfinished character off the end of a text that was cut. */
static void trim(char *text)
{
	size_t size = strlen(text), back = 0;

	while (back < 3 && back < size && ((unsigned char)text[size - 1 - back] & 0xC0) == 0x80)
		back++;
	if (back < size && (unsigned char)text[size - 1 - back] >= 0xC0 &&
	    character_size((unsigned char *)text + size - 1 - back) != back + 1)
		text[size - 1 - back] = '\0';
}

static bool is_control(const unsigned char *at, size_t size)
{
	if (size == 1)
		return *at < 0x20 || *at == 0x7F;
	return size == 2 && at[0] == 0xC2 && at[1] < 0xA0;
}

static void clean(char *text, bool newlines)
{
	unsigned char *at = (unsigned char *)text;

	while (*at) {
		size_t size = character_size(at);

		if (*at == '\n' || *at == '\t' || *at == '\r') {
			if (*at != '\n' || !newlines)
				*at = ' ';
		} else if (size == 0 || is_control(at, size)) {
			memset(at, '?', size ? size : 1);
		}
		at += size ? size : 1;
	}
}

void hook_format(char *text, size_t size, bool newlines, const char *format, va_list list)
{
	int length = format ? vsnprintf(text, size, format, list) : 0;

	if (length < 0)
		snprintf(text, size, "(a message that could not be formatted)");
	else if (!format)
		text[0] = '\0';
	else if ((size_t)length >= size)
		trim(text);
	clean(text, newlines);
}

void hook_copy(char *text, size_t size, const char *source)
{
	snprintf(text, size, "%s", source ? source : "");
	if (source && strnlen(source, size) == size)
		trim(text);
	clean(text, false);
}

bool hook_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t size = character_size(at);

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}
