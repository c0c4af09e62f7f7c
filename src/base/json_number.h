/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of JSON: their grammar, a byte at a time, and their values. Independent of the locale. Private to base's
 * JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum JsonNumber {
	JSON_NUMBER_MINUS,
	JSON_NUMBER_ZERO, /* a leading 0 */
	JSON_NUMBER_INTEGER,
	JSON_NUMBER_POINT,
	JSON_NUMBER_FRACTION,
	JSON_NUMBER_E,
	JSON_NUMBER_SIGN,
	JSON_NUMBER_EXPONENT,
	JSON_NUMBER_END, /* the byte does not go on with the number */
} JsonNumber;

JsonNumber json_number_step(JsonNumber number, uint8_t byte);
/** \brief Whether the number may end here. */
bool json_number_is_whole(JsonNumber number);
/** \brief Whether a whole number has a fraction or an exponent. */
bool json_number_is_real(const char *text, size_t size);
/** \brief -ERANGE beyond int64. */
int json_number_integer(const char *text, size_t size, int64_t *ret);
/** \brief -ERANGE beyond double; \p size at most JSON_NUMBER_MAX. What is too small for a double is 0. */
int json_number_real(const char *text, size_t size, double *ret);
/** \brief -ERANGE where the one that applies of the two above says so. */
int json_number_check(const char *text, size_t size);

#define JSON_REAL_TEXT_SIZE 48
/** \brief The shortest text that reads back as this finite double, with a point or an exponent; returns its length. */
size_t json_number_format(double value, char text[static JSON_REAL_TEXT_SIZE]);
