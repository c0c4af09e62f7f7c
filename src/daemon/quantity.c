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

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONTH (2629800 * USEC_PER_SEC) /* as systemd has them: a twelfth of 365.25 days */
#define YEAR (31557600 * USEC_PER_SEC)

/* As in systemd.time(7). */
static const Unit time_units[] = {
	{ "usec", 1 },
	{ "us", 1 },
	{ "\316\274s", 1 }, /* Greek small mu */
	{ "\302\265s", 1 }, /* micro sign */
	{ "msec", USEC_PER_MSEC },
	{ "ms", USEC_PER_MSEC },
	{ "seconds", USEC_PER_SEC },
	{ "second", USEC_PER_SEC },
	{ "sec", USEC_PER_SEC },
	{ "s", USEC_PER_SEC },
	{ "", USEC_PER_SEC },
	{ "minutes", MINUTE },
	{ "minute", MINUTE },
	{ "min", MINUTE },
	{ "m", MINUTE },
	{ "hours", HOUR },
	{ "hour", HOUR },
	{ "hr", HOUR },
	{ "h", HOUR },
	{ "days", DAY },
	{ "day", DAY },
	{ "d", DAY },
	{ "weeks", 7 * DAY },
	{ "week", 7 * DAY },
	{ "w", 7 * DAY },
	{ "months", MONTH },
	{ "month", MONTH },
	{ "M", MONTH },
	{ "years", YEAR },
	{ "year", YEAR },
	{ "y", YEAR },
};

static const Unit size_units[] = {
	{ "T", 1ULL << 40 },
	{ "G", 1ULL << 30 },
	{ "M", 1ULL << 20 },
	{ "K", 1ULL << 10 },
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

/* A number with a fraction, if need be: \p at is moved behind it. */
typedef struct Decimal {
	uint64_t whole, fraction, scale; /* whole + fraction / scale */
} Decimal;

static int decimal_read(const char **at, Decimal *ret)
{
	Decimal decimal = { .scale = 1 };
	const char *p = *at;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(decimal.whole, 10U, &decimal.whole) ||
		    __builtin_add_overflow(decimal.whole, (uint64_t)(*p - '0'), &decimal.whole))
			return -ERANGE;
	if (*p == '.' && isdigit((unsigned char)p[1]))
		for (p++; isdigit((unsigned char)*p); p++)
			if (decimal.scale < 1000000) { /* what is finer is dropped */
				decimal.fraction = decimal.fraction * 10 + (uint64_t)(*p - '0');
				decimal.scale *= 10;
			}
	while (*p == ' ')
		p++;
	*at = p;
	*ret = decimal;
	return 0;
}

static int decimal_scale(const Decimal *decimal, uint64_t factor, uint64_t *ret)
{
	uint64_t part = (uint64_t)((unsigned __int128)decimal->fraction * factor / decimal->scale);

	return __builtin_mul_overflow(decimal->whole, factor, ret) || __builtin_add_overflow(*ret, part, ret) ? -ERANGE
													      : 0;
}

int quantity_size(const char *text, uint64_t *ret)
{
	uint64_t factor = 1, value = 0;
	Decimal decimal;
	int r;

	r = decimal_read(&text, &decimal);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ELEMENTSOF(size_units); i++)
		if (*text && *text == size_units[i].name[0]) {
			factor = size_units[i].factor;
			text++;
			break;
		}
	if (factor == 1 && *text == 'B')
		text++;
	if (*text || (factor == 1 && decimal.scale > 1))
		return -EINVAL;
	r = decimal_scale(&decimal, factor, &value);
	if (r == 0)
		*ret = value;
	return r;
}

static const char *time_unit(const char *at, uint64_t *ret_factor)
{
	size_t length = strcspn(at, "0123456789 .");

	for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
		if (strlen(time_units[i].name) == length && strncmp(at, time_units[i].name, length) == 0) {
			*ret_factor = time_units[i].factor;
			return at + length;
		}
	return NULL;
}

/* One number with its unit; \p at is moved behind it. */
static int time_term(const char **at, uint64_t *ret_usec)
{
	uint64_t factor = 0, usec = 0;
	Decimal decimal;
	const char *p;
	int r;

	r = decimal_read(at, &decimal);
	if (r < 0)
		return r;
	p = time_unit(*at, &factor);
	if (!p)
		return -EINVAL;
	r = decimal_scale(&decimal, factor, &usec);
	if (r < 0)
		return r;
	*at = p + strspn(p, " ");
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
	static const Unit units[] = {
		{ "d", DAY }, { "h", HOUR }, { "min", MINUTE }, { "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC },
	};

	for (size_t i = 0; usec > 0 && i < ELEMENTSOF(units); i++)
		if (usec % units[i].factor == 0) {
			buffer_format(buffer, "%" PRIu64 "%s", usec / units[i].factor, units[i].name);
			return;
		}
	buffer_format(buffer, "%" PRIu64 "us", usec);
}
