/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <string.h>

#define TEXT_WORD_MAX 64 /* characters of a word that text_distance() compares */

unsigned text_utf8_lead(uint8_t byte, uint8_t *ret_low, uint8_t *ret_high)
{
	*ret_low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;  /* no overlong forms */
	*ret_high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf; /* no surrogates, nothing above U+10FFFF */
	if (byte >= 0xc2 && byte <= 0xdf)
		return 1;
	if (byte >= 0xe0 && byte <= 0xef)
		return 2;
	if (byte >= 0xf0 && byte <= 0xf4)
		return 3;
	return 0;
}

size_t text_utf8_length(const char *text, size_t size)
{
	uint8_t low, high;
	unsigned n;

	if (size == 0)
		return 0;
	if ((uint8_t)text[0] < 0x80)
		return 1;
	n = text_utf8_lead((uint8_t)text[0], &low, &high);
	if (n == 0 || size <= n)
		return 0;
	for (unsigned i = 1; i <= n; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte < low || byte > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n + 1;
}

/* Bytes at the front that are ASCII and not NUL, in steps of eight. */
static size_t ascii_length(const char *text, size_t size)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	size_t n = 0;

	for (; size - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, text + n, sizeof(word));
		if ((word | ((word - ones) & ~word)) & tops)
			break;
	}
	return n;
}

bool text_is_utf8(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t length;

		at += ascii_length(text + at, size - at);
		if (at == size)
			break;
		length = text_utf8_length(text + at, size - at);
		if (length == 0 || text[at] == '\0')
			return false;
		at += length;
	}
	return true;
}

static bool is_control(const char *text, size_t length)
{
	uint8_t first = (uint8_t)text[0];

	return length == 1 ? first < 0x20 || first == 0x7f : first == 0xc2 && (uint8_t)text[1] < 0xa0;
}

void text_escape(const char *text, size_t size, size_t max, Buffer *buffer)
{
	size_t at = 0;

	while (at < size) {
		size_t length = text_utf8_length(text + at, size - at);
		size_t n = length ? length : 1;

		if (n > max - at) {
			buffer_text(buffer, "…");
			return;
		}
		if (length && !is_control(text + at, length))
			buffer_append(buffer, text + at, n);
		else
			for (size_t i = 0; i < n; i++)
				buffer_format(buffer, "\\x%02x", (uint8_t)text[at + i]);
		at += n;
	}
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

unsigned text_distance(const char *a, const char *b, unsigned max)
{
	unsigned rows[3][TEXT_WORD_MAX + 1]; /* of the table of prefixes: this one and the two before it */
	size_t size_a = strlen(a), size_b = strlen(b);

	if (size_a > TEXT_WORD_MAX || size_b > TEXT_WORD_MAX)
		return strcmp(a, b) == 0 ? 0 : max + 1;
	for (unsigned j = 0; j <= size_b; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= size_a; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= size_b; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return MIN(rows[size_a % 3][size_b], max + 1);
}

const char *text_closest(const char *word, const char *const *candidates, size_t n_candidates)
{
	unsigned max = (unsigned)MIN(MAX(strlen(word) / 3, (size_t)1), (size_t)TEXT_WORD_MAX);
	const char *closest = NULL;

	for (size_t i = 0; i < n_candidates; i++) {
		unsigned distance = text_distance(word, candidates[i], max);

		if (distance > max)
			continue;
		closest = candidates[i];
		if (distance == 0)
			break;
		max = distance - 1;
	}
	return closest;
}

bool text_is_identifier(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	return text[0] != '\0' && !(text[0] >= '0' && text[0] <= '9') && text[strspn(text, letters)] == '\0';
}
