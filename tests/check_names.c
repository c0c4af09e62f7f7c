/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/names.h"

#include <stdio.h>

#include "tests/check_main.h"

#define MANY 5000U

START_TEST(names_are_numbered_in_the_order_in_which_they_come)
{
	_cleanup_names_ Names names = { 0 };
	static char text[MANY][8];
	uint32_t number;

	ck_assert_uint_eq(names_find(&names, "n0"), NAMES_NONE);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof(text[i]), "n%u", i);
		ck_assert_int_eq(names_add(&names, text[i], &number), 1);
		ck_assert_uint_eq(number, i);
	}
	ck_assert_uint_eq(names.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		ck_assert_uint_eq(names_find(&names, text[i]), i);
		ck_assert_str_eq(names.items[i], text[i]);
	}
	ck_assert_uint_eq(names_find(&names, "n5000"), NAMES_NONE);
	ck_assert_uint_eq(names_find(&names, ""), NAMES_NONE);
}
END_TEST

START_TEST(a_name_that_is_there_keeps_its_number)
{
	_cleanup_names_ Names names = { 0 };
	uint32_t number = 7;

	ck_assert_int_eq(names_add(&names, "a", &number), 1);
	ck_assert_int_eq(names_add(&names, "", &number), 1);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_eq(names_add(&names, "a", &number), 0);
	ck_assert_uint_eq(number, 0);
	ck_assert_uint_eq(names.n, 2);
}
END_TEST

CHECK_MAIN(names, names_are_numbered_in_the_order_in_which_they_come, a_name_that_is_there_keeps_its_number)
