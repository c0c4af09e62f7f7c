/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/locate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "spec/names.h"

typedef struct Locator {
	const char *text;
	size_t size;
	size_t at;
	Buffer path;
	LocateFunction on_place;
	void *userdata;
	unsigned depth;
	unsigned quiet; /* > 0: within a value of which nothing is to be heard */
} Locator;

static int locate_value(Locator *locator, size_t name);

static char locator_peek(Locator *locator)
{
	while (locator->at < locator->size && memchr(" \t\r\n", locator->text[locator->at], 4))
		locator->at++;
	return locator->at < locator->size ? locator->text[locator->at] : '\0';
}

static bool locator_take(Locator *locator, char expected)
{
	if (locator_peek(locator) != expected)
		return false;
	locator->at++;
	return true;
}

static int hexadecimal(Locator *locator, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t value = 0;

	if (locator->size - locator->at < 4)
		return -EBADMSG;
	for (unsigned i = 0; i < 4; i++) {
		char character = locator->text[locator->at++];
		const char *digit =
			memchr(digits, character >= 'A' && character <= 'F' ? character | 32 : character, 16);

		if (!digit)
			return -EBADMSG;
		value = value << 4 | (uint32_t)(digit - digits);
	}
	*ret = value;
	return 0;
}

static void append_utf8(Buffer *buffer, uint32_t point)
{
	if (point < 0x80) {
		buffer_u8(buffer, (uint8_t)point);
	} else if (point < 0x800) {
		buffer_u8(buffer, (uint8_t)(0xC0 | point >> 6));
		buffer_u8(buffer, (uint8_t)(0x80 | (point & 0x3F)));
	} else if (point < 0x10000) {
		buffer_u8(buffer, (uint8_t)(0xE0 | point >> 12));
		buffer_u8(buffer, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
		buffer_u8(buffer, (uint8_t)(0x80 | (point & 0x3F)));
	} else {
		buffer_u8(buffer, (uint8_t)(0xF0 | point >> 18));
		buffer_u8(buffer, (uint8_t)(0x80 | (point >> 12 & 0x3F)));
		buffer_u8(buffer, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
		buffer_u8(buffer, (uint8_t)(0x80 | (point & 0x3F)));
	}
}

/* A JSON pointer writes '~' and '/' of a name as "~0" and "~1". */
static void append_point(Buffer *path, uint32_t point)
{
	if (!path)
		return;
	if (point == '~')
		buffer_text(path, "~0");
	else if (point == '/')
		buffer_text(path, "~1");
	else
		append_utf8(path, point);
}

static int locate_unicode(Locator *locator, Buffer *path)
{
	uint32_t high, low;
	int r;

	r = hexadecimal(locator, &high);
	if (r < 0)
		return r;
	if (high < 0xD800 || high > 0xDFFF) {
		append_point(path, high);
		return 0;
	}
	if (locator->size - locator->at < 2 || memcmp(locator->text + locator->at, "\\u", 2) != 0)
		return -EBADMSG;
	locator->at += 2;
	r = hexadecimal(locator, &low);
	if (r < 0)
		return r;
	if (high > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
		return -EBADMSG;
	append_point(path, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
	return 0;
}

static int locate_escape(Locator *locator, Buffer *path)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (locator->at == locator->size)
		return -EBADMSG;
	if (locator->text[locator->at] == 'u') {
		locator->at++;
		return locate_unicode(locator, path);
	}
	letter = memchr(letters, locator->text[locator->at++], sizeof(letters) - 1);
	if (!letter)
		return -EBADMSG;
	append_point(path, (uint8_t)meanings[letter - letters]);
	return 0;
}

/* A string, its text appended to `path`, if that is not NULL. */
static int locate_string(Locator *locator, Buffer *path)
{
	if (!locator_take(locator, '"'))
		return -EBADMSG;
	while (locator->at < locator->size) {
		char character = locator->text[locator->at++];
		int r = 0;

		if (character == '"')
			return 0;
		if (character == '\\')
			r = locate_escape(locator, path);
		else if (character == '~' || character == '/')
			append_point(path, (uint8_t)character);
		else if (path)
			buffer_u8(path, (uint8_t)character);
		if (r < 0)
			return r;
	}
	return -EBADMSG;
}

static int locate_member(Locator *locator)
{
	size_t name;
	int r;

	buffer_text(&locator->path, "/");
	locator_peek(locator);
	name = locator->at;
	r = locate_string(locator, &locator->path);
	if (r < 0)
		return r;
	if (!locator_take(locator, ':'))
		return -EBADMSG;
	return locate_value(locator, name);
}

static int locate_element(Locator *locator, size_t index)
{
	buffer_format(&locator->path, "/%zu", index);
	return locate_value(locator, SIZE_MAX);
}

static int locate_compound(Locator *locator, char end)
{
	size_t outer = locator->path.size;

	locator->at++;
	if (locator_take(locator, end))
		return 0;
	for (size_t index = 0;; index++) {
		int r = end == '}' ? locate_member(locator) : locate_element(locator, index);

		if (r < 0)
			return r;
		locator->path.size = outer;
		if (locator_take(locator, end))
			return 0;
		if (!locator_take(locator, ','))
			return -EBADMSG;
	}
}

/* A number or one of the three words. */
static int locate_word(Locator *locator)
{
	size_t begin = locator->at;

	while (locator->at < locator->size && !memchr(" \t\r\n,]}", locator->text[locator->at], 7))
		locator->at++;
	return locator->at == begin ? -EBADMSG : 0;
}

static int locate_content(Locator *locator)
{
	switch (locator_peek(locator)) {
	case '{':
		return locate_compound(locator, '}');
	case '[':
		return locate_compound(locator, ']');
	case '"':
		return locate_string(locator, NULL);
	default:
		return locate_word(locator);
	}
}

static int locate_report(Locator *locator, size_t name)
{
	const LocatePlace place = { .name = name == SIZE_MAX ? locator->at : name, .value = locator->at };

	buffer_u8(&locator->path, '\0');
	if (buffer_error(&locator->path) < 0)
		return -ENOMEM;
	locator->path.size--;
	return locator->on_place((const char *)locator->path.data, &place, locator->userdata);
}

static int locate_value(Locator *locator, size_t name)
{
	bool hushed = false;
	int r;

	if (locator->depth == JSON_DEPTH_MAX)
		return -EBADMSG;
	locator_peek(locator);
	if (locator->quiet == 0) {
		r = locate_report(locator, name);
		if (r < 0)
			return r;
		hushed = r > 0;
	}
	locator->depth++;
	locator->quiet += hushed;
	r = locate_content(locator);
	locator->quiet -= hushed;
	locator->depth--;
	return r;
}

int locate_each(const char *text, size_t size, LocateFunction on_place, void *userdata)
{
	Locator locator = { .text = text, .size = size, .on_place = on_place, .userdata = userdata };
	int r = locate_value(&locator, SIZE_MAX);

	buffer_done(&locator.path);
	return r;
}

typedef struct Search {
	const char *path;
	LocatePlace place;
	LocateFunction on_repeat;
	void *userdata;
	Names seen; /* its strings are owned */
} Search;

static int on_candidate(const char *path, const LocatePlace *place, void *userdata)
{
	Search *search = userdata;

	if (strcmp(path, search->path) != 0)
		return 0;
	search->place = *place;
	return -EEXIST;
}

int locate_find(const char *text, size_t size, const char *path, LocatePlace *ret)
{
	Search search = { .path = path };
	int r = locate_each(text, size, on_candidate, &search);

	if (r != -EEXIST)
		return r < 0 ? r : -ENOENT;
	*ret = search.place;
	return 0;
}

static int on_member(const char *path, const LocatePlace *place, void *userdata)
{
	Search *search = userdata;
	_cleanup_free_ char *copy = NULL;
	uint32_t number;
	int r;

	if (names_find(&search->seen, path) != NAMES_NONE) {
		r = search->on_repeat(path, place, search->userdata);
		return r < 0 ? r : 1;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	r = names_add(&search->seen, copy, &number);
	if (r < 0)
		return r;
	copy = NULL;
	return 0;
}

int locate_repeats(const char *text, size_t size, LocateFunction on_repeat, void *userdata)
{
	Search search = { .on_repeat = on_repeat, .userdata = userdata };
	int r = locate_each(text, size, on_member, &search);

	for (uint32_t i = 0; i < search.seen.n; i++)
		free((char *)search.seen.items[i]);
	names_done(&search.seen);
	return r;
}
