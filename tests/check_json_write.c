/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What json_write() writes, and what else base/json.h says about trees. */
#include "tests/check_main.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static struct json_object *parse(const char *text)
{
	struct json_object *json = NULL;
	JsonError error = { 0 };
	int r = json_parse(text, strlen(text), JSON_DEPTH_DEFAULT, &json, &error);

	ck_assert_msg(r == 0, "%s: %s at %zu", text, error.message, error.offset);
	return json;
}

static char *rewrite(const char *text)
{
	_cleanup_json_ struct json_object *json = parse(text);
	_cleanup_buffer_ Buffer buffer = { 0 };

	json_write(json, &buffer);
	ck_assert_int_eq(buffer_error(&buffer), 0);
	return buffer_take_text(&buffer);
}

static void expect_rewritten(const char *text, const char *expected)
{
	_cleanup_free_ char *found = rewrite(text);

	ck_assert_str_eq(found, expected);
}

START_TEST(doubles_are_written_short_and_stay_doubles)
{
	static const char *const pairs[][2] = {
		{ "5.0", "5.0" },
		{ "-0.0", "-0.0" },
		{ "0.0", "0.0" },
		{ "0.1", "0.1" },
		{ "2.345", "2.345" },
		{ "-2.50", "-2.5" },
		{ "1e2", "100.0" },
		{ "100000000.0", "100000000.0" },
		{ "99999999.5", "99999999.5" },
		{ "-0.000001", "-0.000001" },
		{ "0.0000001", "1e-07" },
		{ "1e22", "1e+22" },
		{ "1.7976931348623157e308", "1.7976931348623157e+308" },
		{ "5e-324", "4.94065645841247e-324" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "123456789012345680.0", "1.2345678901234568e+17" },
		{ "1e-400", "0.0" },
	};

	for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
		expect_rewritten(pairs[i][0], pairs[i][1]);
}
END_TEST

START_TEST(any_double_reads_back_bit_for_bit)
{
	uint64_t state = 88172645463325252ULL;

	for (int i = 0; i < 20000; i++) {
		_cleanup_buffer_ Buffer text = { 0 };
		_cleanup_json_ struct json_object *json = NULL;
		JsonError error;
		double before, after;

		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		memcpy(&before, &state, sizeof(before));
		if (i % 2)
			before = (double)((int64_t)(state >> 30) - (1LL << 33)) / (i % 3 ? 1000.0 : 3.0);
		if (!isfinite(before))
			continue;
		json_write_double(before, &text);
		ck_assert_int_eq(json_parse((char *)text.data, text.size, 1, &json, &error), 0);
		ck_assert_int_eq(json_object_get_type(json), json_type_double);
		after = json_object_get_double(json);
		ck_assert_msg(memcmp(&before, &after, sizeof(after)) == 0, "%.*s", (int)text.size, text.data);
	}
}
END_TEST

START_TEST(a_double_that_is_not_finite_is_written_as_null)
{
	_cleanup_buffer_ Buffer text = { 0 };

	json_write_double(NAN, &text);
	json_write_double(-INFINITY, &text);
	ck_assert_mem_eq(text.data, "nullnull", 8);
	ck_assert_uint_eq(text.size, 8);
}
END_TEST

START_TEST(a_minus_zero_that_is_an_integer_is_zero)
{
	expect_rewritten("-0", "0");
	expect_rewritten("[-0,-0e0]", "[0,-0.0]");
}
END_TEST

START_TEST(integers_are_written_to_the_last_digit)
{
	static const int64_t numbers[] = { 0, 7, -7, 10, -10, 1234567890123456789, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
		_cleanup_buffer_ Buffer text = { 0 };
		char expected[32];

		json_write_int(numbers[i], &text);
		buffer_u8(&text, 0);
		snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
		ck_assert_str_eq((char *)text.data, expected);
	}
}
END_TEST

static void expect_string(const char *text, size_t size, const char *expected)
{
	_cleanup_buffer_ Buffer written = { 0 };

	json_write_string(text, size, &written);
	buffer_u8(&written, 0);
	ck_assert_str_eq((char *)written.data, expected);
	free(rewrite(expected));
}

START_TEST(strings_are_written_so_that_they_can_always_be_read)
{
	expect_string("", 0, "\"\"");
	expect_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	expect_string("\b\t\n\v\f\r\x1b", 7, "\"\\b\\t\\n\\u000b\\f\\r\\u001b\"");
	expect_string("\x7f\xc2\x80\xc2\x9f\xc2\xa0", 7, "\"\\u007f\\u0080\\u009f\xc2\xa0\"");
	expect_string("é€😀", strlen("é€😀"), "\"é€😀\"");
	expect_string("a\0b", 3,
		      "\"a\xef\xbf\xbd"
		      "b\"");
	expect_string("\xff\xc3", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_string("\xed\xa0\x80!", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!\"");
}
END_TEST

START_TEST(escapes_are_read_as_what_they_mean)
{
	_cleanup_json_ struct json_object *json = parse("\"\\u0041\\u00E9\\u20aC\\uD83D\\uDE00\\/\\n\"");

	ck_assert_str_eq(json_object_get_string(json), "Aé€😀/\n");
}
END_TEST

START_TEST(a_foreign_tree_is_strict_only_if_it_could_be_parsed)
{
	struct json_object *json = json_object_new_array();

	ck_assert(json_is_strict(NULL));
	ck_assert(json_is_strict(json));
	json_object_array_add(json, json_object_new_int64(INT64_MIN));
	json_object_array_add(json, json_object_new_uint64(INT64_MAX));
	ck_assert(json_is_strict(json));
	json_object_array_put_idx(json, 0, json_object_new_uint64(UINT64_MAX));
	ck_assert(!json_is_strict(json));
	json_object_array_put_idx(json, 0, json_object_new_double(NAN));
	ck_assert(!json_is_strict(json));
	json_object_array_put_idx(json, 0, json_object_new_string_len("a\0b", 3));
	ck_assert(!json_is_strict(json));
	json_object_array_put_idx(json, 0, json_object_new_object());
	json_object_object_add(json_object_array_get_idx(json, 0), "\xff", NULL);
	ck_assert(!json_is_strict(json));
	json_object_put(json);
}
END_TEST

START_TEST(a_foreign_tree_that_is_too_deep_is_not_strict)
{
	struct json_object *deep = json_object_new_array();

	for (int i = 1; i < JSON_DEPTH_MAX; i++) {
		struct json_object *outer = json_object_new_array();

		json_object_array_add(outer, deep);
		deep = outer;
	}
	ck_assert(json_is_strict(deep));
	json_object_array_add(deep, json_object_get(NULL));
	struct json_object *outer = json_object_new_object();
	json_object_object_add(outer, "deep", deep);
	ck_assert(!json_is_strict(outer));
	json_object_put(outer);
}
END_TEST

START_TEST(kinds_have_the_names_that_messages_use)
{
	static const char *const pairs[][2] = { { "{}", "object" }, { "[]", "array" },  { "\"\"", "string" },
						{ "1", "int" },     { "1.0", "float" }, { "true", "bool" },
						{ "null", "null" } };

	for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
		_cleanup_json_ struct json_object *json = parse(pairs[i][0]);

		ck_assert_str_eq(json_kind(json), pairs[i][1]);
	}
}
END_TEST

START_TEST(a_position_counts_lines_and_bytes_from_one)
{
	const char *text = "ab\n\ncd";
	static const unsigned expected[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 }, { 3, 1 }, { 3, 2 }, { 3, 3 } };

	for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
		unsigned line, column;

		json_position(text, i, &line, &column);
		ck_assert_uint_eq(line, expected[i][0]);
		ck_assert_uint_eq(column, expected[i][1]);
	}
}
END_TEST

CHECK_MAIN(json_write, doubles_are_written_short_and_stay_doubles, any_double_reads_back_bit_for_bit,
	   a_double_that_is_not_finite_is_written_as_null, a_minus_zero_that_is_an_integer_is_zero,
	   integers_are_written_to_the_last_digit, strings_are_written_so_that_they_can_always_be_read,
	   escapes_are_read_as_what_they_mean, a_foreign_tree_is_strict_only_if_it_could_be_parsed,
	   a_foreign_tree_that_is_too_deep_is_not_strict, kinds_have_the_names_that_messages_use,
	   a_position_counts_lines_and_bytes_from_one)
