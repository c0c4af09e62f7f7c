/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/literal.h"

#include <errno.h>
#include <string.h>

#include "tests/check_main.h"

typedef struct Case {
	ValueType type;
	const char *text;
	const char *json; /* what it becomes; NULL: it is refused */
	const char *message;
} Case;

static void check_case(const Case *item)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_buffer_ Buffer message = {}, text = {};
	_cleanup_free_ char *found = NULL;
	int r;

	r = literal_convert(item->type, item->text, strlen(item->text), &json, &message);
	ck_assert_msg(r == (item->json ? 0 : -EBADMSG), "%s: got %d", item->text, r);
	if (item->json)
		json_write(json, &text);
	found = buffer_take_text(item->json ? &text : &message);
	ck_assert_str_eq(found, item->json ? item->json : item->message);
}

#define CHECK_CASES(cases)                             \
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) \
	check_case(&(cases)[i])

START_TEST(a_string_is_taken_as_it_is)
{
	static const Case cases[] = {
		{ VALUE_STRING, "main", "\"main\"", NULL },
		{ VALUE_STRING, "", "\"\"", NULL },
		{ VALUE_STRING, " 5 ", "\" 5 \"", NULL },
		{ VALUE_STRING, "true", "\"true\"", NULL },
		{ VALUE_STRING, "{\"a\":1}", "\"{\\\"a\\\":1}\"", NULL },
		{ VALUE_STRING, "\xc3\xa9", "\"\xc3\xa9\"", NULL },
		{ VALUE_STRING, "\xc3", NULL, "expected string (UTF-8 without U+0000), got \"\\xc3\"" },
	};

	CHECK_CASES(cases);
}
END_TEST

START_TEST(an_int_is_a_whole_decimal_number_of_64_bits)
{
	static const Case cases[] = {
		{ VALUE_INT, "5", "5", NULL },
		{ VALUE_INT, "-5", "-5", NULL },
		{ VALUE_INT, "+5", "5", NULL },
		{ VALUE_INT, "007", "7", NULL },
		{ VALUE_INT, "9223372036854775807", "9223372036854775807", NULL },
		{ VALUE_INT, "-9223372036854775808", "-9223372036854775808", NULL },
		{ VALUE_INT, "9223372036854775808", NULL,
		  "expected int (64 bits, signed), got \"9223372036854775808\"" },
		{ VALUE_INT, "-9223372036854775809", NULL,
		  "expected int (64 bits, signed), got \"-9223372036854775809\"" },
		{ VALUE_INT, "abc", NULL, "expected int, got \"abc\"" },
		{ VALUE_INT, "", NULL, "expected int, got \"\"" },
		{ VALUE_INT, "-", NULL, "expected int, got \"-\"" },
		{ VALUE_INT, "+-5", NULL, "expected int, got \"+-5\"" },
		{ VALUE_INT, "5.0", NULL, "expected int, got \"5.0\"" },
		{ VALUE_INT, "5 ", NULL, "expected int, got \"5 \"" },
		{ VALUE_INT, " 5", NULL, "expected int, got \" 5\"" },
		{ VALUE_INT, "0x10", NULL, "expected int, got \"0x10\"" },
		{ VALUE_INT, "1e3", NULL, "expected int, got \"1e3\"" },
	};

	CHECK_CASES(cases);
}
END_TEST

START_TEST(a_float_is_a_number_of_json_and_becomes_a_float)
{
	static const Case cases[] = {
		{ VALUE_FLOAT, "2.5", "2.5", NULL },
		{ VALUE_FLOAT, "-1e3", "-1000.0", NULL },
		{ VALUE_FLOAT, "5", "5.0", NULL },
		{ VALUE_FLOAT, "nan", NULL, "expected float, got \"nan\"" },
		{ VALUE_FLOAT, "inf", NULL, "expected float, got \"inf\"" },
		{ VALUE_FLOAT, "1e999", NULL, "expected float, got \"1e999\"" },
		{ VALUE_FLOAT, "2,5", NULL, "expected float, got \"2,5\"" },
		{ VALUE_FLOAT, "\"2.5\"", NULL, "expected float, got \"\"2.5\"\"" },
		{ VALUE_FLOAT, "true", NULL, "expected float, got \"true\"" },
		{ VALUE_FLOAT, "", NULL, "expected float, got \"\"" },
	};

	CHECK_CASES(cases);
}
END_TEST

START_TEST(a_bool_is_one_of_four_words)
{
	static const Case cases[] = {
		{ VALUE_BOOL, "true", "true", NULL },
		{ VALUE_BOOL, "yes", "true", NULL },
		{ VALUE_BOOL, "false", "false", NULL },
		{ VALUE_BOOL, "no", "false", NULL },
		{ VALUE_BOOL, "1", NULL, "expected bool (true or false), got \"1\"" },
		{ VALUE_BOOL, "True", NULL, "expected bool (true or false), got \"True\"" },
		{ VALUE_BOOL, "truetrue", NULL, "expected bool (true or false), got \"truetrue\"" },
		{ VALUE_BOOL, "", NULL, "expected bool (true or false), got \"\"" },
	};

	CHECK_CASES(cases);
}
END_TEST

START_TEST(a_list_and_a_dict_are_json)
{
	static const Case cases[] = {
		{ VALUE_LIST, "[1, \"a\"]", "[1,\"a\"]", NULL },
		{ VALUE_DICT, "{\"a\": {}}", "{\"a\":{}}", NULL },
		{ VALUE_LIST, "{}", NULL, "expected list (a JSON array), got \"{}\"" },
		{ VALUE_DICT, "[]", NULL, "expected dict (a JSON object), got \"[]\"" },
		{ VALUE_DICT, "null", NULL, "expected dict (a JSON object), got \"null\"" },
	};

	CHECK_CASES(cases);
}
END_TEST

START_TEST(broken_json_is_located)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_buffer_ Buffer message = {};
	_cleanup_free_ char *found = NULL;

	ck_assert_int_eq(literal_json("{\n  \"a\" 1}", 10, &json, &message), -EBADMSG);
	found = buffer_take_text(&message);
	ck_assert_ptr_nonnull(strstr(found, "expected JSON; line 2, column 7: "));
	ck_assert_ptr_null(json);
}
END_TEST

START_TEST(a_refused_value_is_shown_cut_and_without_control_characters)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_buffer_ Buffer message = {};
	_cleanup_free_ char *found = NULL;
	char text[5000];

	memset(text, 'x', sizeof(text));
	text[0] = '\033';
	ck_assert_int_eq(literal_convert(VALUE_INT, text, sizeof(text), &json, &message), -EBADMSG);
	found = buffer_take_text(&message);
	ck_assert_int_lt(strlen(found), 200);
	ck_assert_ptr_null(strchr(found, '\033'));
	ck_assert_ptr_nonnull(strstr(found, "\\x1b"));
}
END_TEST

START_TEST(a_type_that_is_not_known_asks_for_json)
{
	static const Case cases[] = {
		{ VALUE_NONE, "x", NULL, "is of a type that this ryusoctl does not know; give it as NAME:=JSON" },
	};

	CHECK_CASES(cases);
}
END_TEST

CHECK_MAIN(literal, a_string_is_taken_as_it_is, an_int_is_a_whole_decimal_number_of_64_bits,
	   a_float_is_a_number_of_json_and_becomes_a_float, a_bool_is_one_of_four_words, a_list_and_a_dict_are_json,
	   broken_json_is_located, a_refused_value_is_shown_cut_and_without_control_characters,
	   a_type_that_is_not_known_asks_for_json)
