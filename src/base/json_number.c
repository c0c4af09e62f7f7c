/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json_number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define INT64_SURE_DIGITS 18   /* so many always fit */
#define DOUBLE_SURE_DIGITS 300 /* so many without an exponent always fit */

typedef enum Class {
	CLASS_0,
	CLASS_1_TO_9,
	CLASS_POINT,
	CLASS_E,
	CLASS_SIGN,
	CLASS_MAX,
} Class;

#define MIN_ JSON_NUMBER_MINUS
#define ZER_ JSON_NUMBER_ZERO
#define INT_ JSON_NUMBER_INTEGER
#define POI_ JSON_NUMBER_POINT
#define FRA_ JSON_NUMBER_FRACTION
#define EEE_ JSON_NUMBER_E
#define SIG_ JSON_NUMBER_SIGN
#define EXP_ JSON_NUMBER_EXPONENT
#define END_ JSON_NUMBER_END

static const uint8_t steps[JSON_NUMBER_END][CLASS_MAX] = {
	/*        0     1-9   .     e     +-   */
	[MIN_] = { ZER_, INT_, END_, END_, END_ }, [ZER_] = { END_, END_, POI_, EEE_, END_ },
	[INT_] = { INT_, INT_, POI_, EEE_, END_ }, [POI_] = { FRA_, FRA_, END_, END_, END_ },
	[FRA_] = { FRA_, FRA_, END_, EEE_, END_ }, [EEE_] = { EXP_, EXP_, END_, END_, SIG_ },
	[SIG_] = { EXP_, EXP_, END_, END_, END_ }, [EXP_] = { EXP_, EXP_, END_, END_, END_ },
};

JsonNumber json_number_step(JsonNumber number, uint8_t byte)
{
	switch (byte) {
	case '0':
		return steps[number][CLASS_0];
	case '1' ... '9':
		return steps[number][CLASS_1_TO_9];
	case '.':
		return steps[number][CLASS_POINT];
	case 'e':
	case 'E':
		return steps[number][CLASS_E];
	case '+':
	case '-':
		return steps[number][CLASS_SIGN];
	default:
		return JSON_NUMBER_END;
	}
}

bool json_number_is_whole(JsonNumber number)
{
	return number == JSON_NUMBER_ZERO || number == JSON_NUMBER_INTEGER || number == JSON_NUMBER_FRACTION ||
	       number == JSON_NUMBER_EXPONENT;
}

bool json_number_is_real(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == '.' || text[i] == 'e' || text[i] == 'E')
			return true;
	return false;
}

int json_number_integer(const char *text, size_t size, int64_t *ret)
{
	bool negative = size > 0 && text[0] == '-';
	int64_t value = 0;

	for (size_t i = negative; i < size; i++) {
		int digit = text[i] - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

/* glibc hands out the same object each time for this name, and keeps it. */
static locale_t plain_locale(void)
{
	return newlocale(LC_ALL_MASK, "C", NULL);
}

/* Both of these are doubles exactly, and one operation on two such is rounded once: as exact as strtod() is. */
static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14 };
#define EXACT_DIGITS 15

/* Few digits and no exponent: what numbers mostly are. */
static bool read_short(const char *text, size_t size, double *ret)
{
	int64_t digits = 0;
	size_t after = 0, begin = text[0] == '-';

	if (size - begin > EXACT_DIGITS)
		return false;
	for (size_t i = begin; i < size; i++) {
		if (text[i] == 'e' || text[i] == 'E')
			return false;
		if (text[i] == '.')
			after = size - i - 1;
		else
			digits = digits * 10 + (text[i] - '0');
	}
	*ret = (begin ? -(double)digits : (double)digits) / powers[after];
	return true;
}

int json_number_real(const char *text, size_t size, double *ret)
{
	char copy[JSON_NUMBER_MAX + 1];
	double value;

	if (read_short(text, size, ret))
		return 0;
	if (size > JSON_NUMBER_MAX)
		return -ERANGE;
	memcpy(copy, text, size);
	copy[size] = '\0';
	value = strtod_l(copy, NULL, plain_locale());
	if (!isfinite(value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int json_number_check(const char *text, size_t size)
{
	int64_t integer;
	double real;

	if (size <= INT64_SURE_DIGITS && !memchr(text, 'e', size) && !memchr(text, 'E', size))
		return 0;
	if (!json_number_is_real(text, size))
		return json_number_integer(text, size, &integer);
	if (size <= DOUBLE_SURE_DIGITS && !memchr(text, 'e', size) && !memchr(text, 'E', size))
		return 0;
	return json_number_real(text, size, &real);
}

/* The same backwards: `value` as a whole number of up to so many decimals, if that reads back as `value`. */
static size_t format_short(double value, char text[static JSON_REAL_TEXT_SIZE])
{
	for (int after = 0; after <= 6 && fabs(value) < 1e8; after++) {
		long long digits = llround(value * powers[after]), whole = (long long)powers[after];
		const char *sign = digits < 0 ? "-" : "";

		if ((double)digits / powers[after] != value || (digits == 0 && signbit(value)))
			continue;
		digits = llabs(digits);
		return (size_t)snprintf(text, JSON_REAL_TEXT_SIZE, "%s%lld.%0*lld", sign, digits / whole, MAX(after, 1),
					digits % whole);
	}
	return 0;
}

static size_t format_long(double value, char text[static JSON_REAL_TEXT_SIZE])
{
	locale_t before = uselocale(plain_locale());
	int size = 0;

	for (int precision = 15; precision <= 17; precision++) {
		size = snprintf(text, JSON_REAL_TEXT_SIZE, "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	uselocale(before);
	if (!strpbrk(text, ".e")) {
		memcpy(text + size, ".0", sizeof(".0"));
		size += 2;
	}
	return (size_t)size;
}

size_t json_number_format(double value, char text[static JSON_REAL_TEXT_SIZE])
{
	size_t size = format_short(value, text);

	return size > 0 ? size : format_long(value, text);
}
