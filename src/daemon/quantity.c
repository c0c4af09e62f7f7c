/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

typedef struct Unit {
	const char *name;
	uint64_t factor;
} Unit;

/* the longest first where one begins with another */
static const Unit time_units[] = {
	{ "min", 60 * USEC_PER_SEC },  { "ms", USEC_PER_MSEC },      { "us", 1 },
	{ "d", 86400 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC }, { "s", USEC_PER_SEC },
};

static const Unit size_units[] = {
	{ "G", 1U << 30 },
	{ "M", 1U << 20 },
	{ "K", 1U << 10 },
};

int quantity_count(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int quantity_size(const char *text, uint64_t *ret)
{
	char digits[24];
	size_t length = strlen(text);
	uint64_t value, factor = 1;
	int r;

	if (strcmp(text, "infinity") == 0) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; length > 0 && i < ELEMENTSOF(size_units); i++)
		if (text[length - 1] == size_units[i].name[0]) {
			factor = size_units[i].factor;
			length--;
			break;
		}
	if (length >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, length);
	digits[length] = '\0';
	r = quantity_count(digits, &value);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(value, factor, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

static const char *time_unit(const char *at, uint64_t *ret_factor)
{
	for (size_t i = 0; i < ELEMENTSOF(time_units); i++) {
		size_t length = strlen(time_units[i].name);

		if (strncmp(at, time_units[i].name, length) == 0) {
			*ret_factor = time_units[i].factor;
			return at + length;
		}
	}
	*ret_factor = USEC_PER_SEC;
	return at;
}

/* One number with its unit; \p at is moved behind it. */
static int time_term(const char **at, uint64_t *ret_usec)
{
	uint64_t whole = 0, factor, usec;
	uint64_t fraction = 0, scale = 1;
	const char *p = *at;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10U, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -ERANGE;
	if (*p == '.' && isdigit((unsigned char)p[1]))
		for (p++; isdigit((unsigned char)*p); p++)
			if (scale < 1000000) { /* finer than a microsecond is dropped */
				fraction = fraction * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
	while (*p == ' ')
		p++;
	p = time_unit(p, &factor);
	if (__builtin_mul_overflow(whole, factor, &usec) ||
	    __builtin_add_overflow(usec, fraction * factor / scale, &usec))
		return -ERANGE;
	while (*p == ' ')
		p++;
	*at = p;
	*ret_usec = usec;
	return 0;
}

int quantity_time(const char *text, uint64_t *ret_usec)
{
	uint64_t sum = 0, term = 0;
	int r;

	do {
		r = time_term(&text, &term);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(sum, term, &sum))
			return -ERANGE;
	} while (*text);
	*ret_usec = sum;
	return 0;
}

void quantity_format_size(uint64_t size, Buffer *buffer)
{
	for (size_t i = 0; size > 0 && i < ELEMENTSOF(size_units); i++)
		if (size % size_units[i].factor == 0) {
			buffer_format(buffer, "%" PRIu64 "%s", size / size_units[i].factor, size_units[i].name);
			return;
		}
	buffer_format(buffer, "%" PRIu64, size);
}

void quantity_format_time(uint64_t usec, Buffer *buffer)
{
	static const Unit *const order[] = { &time_units[3], &time_units[4], &time_units[0], &time_units[5],
					     &time_units[1] };

	for (size_t i = 0; usec > 0 && i < ELEMENTSOF(order); i++)
		if (usec % order[i]->factor == 0) {
			buffer_format(buffer, "%" PRIu64 "%s", usec / order[i]->factor, order[i]->name);
			return;
		}
	buffer_format(buffer, "%" PRIu64 "us", usec);
}
