/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json_flat.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_number.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#ifdef __SSE2__

/* A bit for each of the next sixteen bytes that is not plain. As signed numbers, what is below a space are the control
 * characters and all that is not ASCII. */
static unsigned special_bits(const char *text)
{
	const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
	const __m128i marks =
		_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(marks, _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '))));
}

#endif

/* The highest bit of a byte is set where the byte is zero, or may be where a lower one is. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH(1)) & ~word & EACH(0x80);
}

/* The same of those that are not plain. */
static uint64_t special_bytes(uint64_t word)
{
	return ((word - EACH(' ')) & ~word & EACH(0x80)) | (word & EACH(0x80)) | zero_bytes(word ^ EACH('"')) |
	       zero_bytes(word ^ EACH('\\'));
}

size_t json_plain_size(const char *text, size_t size)
{
	size_t at = 0;

#ifdef __SSE2__
	for (; size - at >= sizeof(__m128i); at += sizeof(__m128i)) {
		unsigned special = special_bits(text + at);

		if (special != 0)
			return at + (size_t)__builtin_ctz(special);
	}
#endif
	while (size - at >= sizeof(uint64_t)) {
		uint64_t word, special;

		memcpy(&word, text + at, sizeof(word));
		special = special_bytes(le64toh(word));
		if (special != 0)
			return at + (size_t)__builtin_ctzll(special) / 8;
		at += sizeof(word);
	}
	while (at < size && is_plain((uint8_t)text[at]))
		at++;
	return at;
}

/* The next byte that is no white space, or NUL at the end. */
static char peek(JsonFlat *flat)
{
	while (flat->at < flat->end) {
		char c = *flat->at;

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		flat->at++;
	}
	return '\0';
}

/* At the quote. */
static int read_string(JsonFlat *flat, const char **ret, size_t *ret_size)
{
	const char *begin = flat->at + 1, *at = begin;

	for (; at < flat->end; at++) {
		at += json_plain_size(at, (size_t)(flat->end - at));
		if (at == flat->end || *at == '\\')
			return -ENOTSUP;
		if (*at == '"') {
			*ret = begin;
			*ret_size = (size_t)(at - begin);
			flat->at = at + 1;
			return 0;
		}
	}
	return -ENOTSUP;
}

static int read_number(JsonFlat *flat, JsonMember *member)
{
	const char *begin = flat->at;
	JsonNumber number = JSON_NUMBER_MINUS;
	size_t size;
	int r;

	flat->at += *begin == '-';
	while (flat->at < flat->end && (number = json_number_step(number, (uint8_t)*flat->at)) != JSON_NUMBER_END)
		flat->at++;
	size = (size_t)(flat->at - begin);
	if (json_number_is_real(begin, size)) {
		member->type = VALUE_FLOAT;
		r = json_number_real(begin, size, &member->real);
	} else {
		member->type = VALUE_INT;
		r = json_number_integer(begin, size, &member->integer);
	}
	return r < 0 ? -ENOTSUP : 0;
}

static int read_word(JsonFlat *flat, const char *word, ValueType type, JsonMember *member)
{
	size_t size = strlen(word);

	if ((size_t)(flat->end - flat->at) < size)
		return -ENOTSUP;
	flat->at += size;
	member->type = type;
	member->boolean = *word == 't';
	return 0;
}

static int read_value(JsonFlat *flat, JsonMember *member)
{
	switch (peek(flat)) {
	case '"':
		member->type = VALUE_STRING;
		return read_string(flat, &member->string.data, &member->string.size);
	case '{':
		flat->at++;
		member->type = VALUE_DICT;
		return 0;
	case 't':
		return read_word(flat, "true", VALUE_BOOL, member);
	case 'f':
		return read_word(flat, "false", VALUE_BOOL, member);
	case 'n':
		return read_word(flat, "null", VALUE_NONE, member);
	case '-':
	case '0' ... '9':
		return read_number(flat, member);
	default:
		return -ENOTSUP;
	}
}

int json_flat_init(JsonFlat *flat, const char *text, size_t size)
{
	*flat = (JsonFlat){ .at = text, .end = text + size };
	if (peek(flat) != '{')
		return -ENOTSUP;
	flat->at++;
	return 0;
}

int json_flat_next(JsonFlat *flat, JsonMember *ret)
{
	int r;

	if (peek(flat) == ',')
		flat->at++;
	if (peek(flat) == '}') {
		flat->at++;
		return 0;
	}
	if (peek(flat) != '"')
		return -ENOTSUP;
	r = read_string(flat, &ret->name, &ret->name_size);
	if (r < 0)
		return r;
	if (peek(flat) != ':')
		return -ENOTSUP;
	flat->at++;
	r = read_value(flat, ret);
	return r < 0 ? r : 1;
}
