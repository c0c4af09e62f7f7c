/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static JsonError parse_fault(const char *text, size_t size, uint32_t depth)
{
	struct json_object *json = NULL;
	JsonError error = { 0 };
	int r = json_parse(text, size, depth, &json, &error);

	ck_assert_msg(r == -EBADMSG, "%.*s: parsed, or %d", (int)size, text, r);
	ck_assert_ptr_null(json);
	ck_assert_int_ne(error.fault, JSON_FAULT_NONE);
	ck_assert_uint_gt(strlen(error.message), 0);
	ck_assert(text_is_utf8(error.message, strlen(error.message)));
	return error;
}

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

static const struct {
	const char *text;
	JsonFault fault;
	size_t offset;
	const char *message; /* a part of it */
} bad[] = {
	{ "", JSON_FAULT_TRUNCATED, 0, "expected a value, got the end" },
	{ "  ", JSON_FAULT_TRUNCATED, 2, "expected a value" },
	{ "{", JSON_FAULT_TRUNCATED, 1, "expected a name in quotes or '}'" },
	{ "{\"a", JSON_FAULT_TRUNCATED, 3, "expected the end of the string" },
	{ "{\"a\"", JSON_FAULT_TRUNCATED, 4, "expected ':'" },
	{ "{\"a\":", JSON_FAULT_TRUNCATED, 5, "expected a value" },
	{ "{\"a\":1", JSON_FAULT_TRUNCATED, 6, "got the end" },
	{ "{\"a\":1,", JSON_FAULT_TRUNCATED, 7, "expected a name in quotes," },
	{ "[1,", JSON_FAULT_TRUNCATED, 3, "expected a value," },
	{ "[1 ", JSON_FAULT_TRUNCATED, 3, "expected ',' or ']'" },
	{ "\"\\", JSON_FAULT_TRUNCATED, 2, "behind the backslash" },
	{ "\"\\u00", JSON_FAULT_TRUNCATED, 5, "four hexadecimal digits" },
	{ "\"\\ud83d", JSON_FAULT_TRUNCATED, 7, "low surrogate" },
	{ "\"\xc3", JSON_FAULT_TRUNCATED, 2, "continuation byte" },
	{ "-", JSON_FAULT_TRUNCATED, 1, "expected a digit" },
	{ "1.", JSON_FAULT_TRUNCATED, 2, "expected a digit" },
	{ "1e", JSON_FAULT_TRUNCATED, 2, "expected a digit" },
	{ "tru", JSON_FAULT_TRUNCATED, 3, "expected true" },
	{ "{\"a\" 1}", JSON_FAULT_SYNTAX, 5, "expected ':', got '1'" },
	{ "{\"a\":1 \"b\":2}", JSON_FAULT_SYNTAX, 7, "expected ',' or '}', got '\"'" },
	{ "[1 2]", JSON_FAULT_SYNTAX, 3, "expected ',' or ']', got '2'" },
	{ "[1}", JSON_FAULT_SYNTAX, 2, "expected ',' or ']', got '}'" },
	{ "[[],{}}", JSON_FAULT_SYNTAX, 6, "expected ',' or ']', got '}'" },
	{ "{\"a\":[1]]", JSON_FAULT_SYNTAX, 8, "expected ',' or '}', got ']'" },
	{ "[1,]", JSON_FAULT_SYNTAX, 3, "expected a value, got ']'" },
	{ "[,1]", JSON_FAULT_SYNTAX, 1, "expected a value or ']', got ','" },
	{ "{\"a\":1,}", JSON_FAULT_SYNTAX, 7, "expected a name in quotes, got '}'" },
	{ "{a:1}", JSON_FAULT_SYNTAX, 1, "expected a name in quotes or '}', got 'a'" },
	{ "{'a':1}", JSON_FAULT_SYNTAX, 1, "got '''" },
	{ "{1:1}", JSON_FAULT_SYNTAX, 1, "got '1'" },
	{ "x", JSON_FAULT_SYNTAX, 0, "expected a value, got 'x'" },
	{ "]", JSON_FAULT_SYNTAX, 0, "expected a value, got ']'" },
	{ "\x01", JSON_FAULT_SYNTAX, 0, "got byte 0x01" },
	{ "\xef\xbb\xbf{}", JSON_FAULT_SYNTAX, 0, "got byte 0xef" },
	{ "[1,\v2]", JSON_FAULT_SYNTAX, 3, "got byte 0x0b" },
	{ "/* no */ 1", JSON_FAULT_SYNTAX, 0, "got '/'" },
	{ "trux", JSON_FAULT_SYNTAX, 3, "expected true, got 'x'" },
	{ "[nul]", JSON_FAULT_SYNTAX, 4, "expected null, got ']'" },
	{ "True", JSON_FAULT_SYNTAX, 0, "got 'T'" },
	{ "[01]", JSON_FAULT_SYNTAX, 2, "must not begin with 0" },
	{ "[-01]", JSON_FAULT_SYNTAX, 3, "must not begin with 0" },
	{ "[+1]", JSON_FAULT_SYNTAX, 1, "got '+'" },
	{ "[.5]", JSON_FAULT_SYNTAX, 1, "got '.'" },
	{ "[1.]", JSON_FAULT_SYNTAX, 3, "expected a digit, got ']'" },
	{ "[1.e5]", JSON_FAULT_SYNTAX, 3, "expected a digit, got 'e'" },
	{ "[1e]", JSON_FAULT_SYNTAX, 3, "expected a digit, got ']'" },
	{ "[1e+]", JSON_FAULT_SYNTAX, 4, "expected a digit, got ']'" },
	{ "[1e5.0]", JSON_FAULT_SYNTAX, 4, "got '.'" },
	{ "[--1]", JSON_FAULT_SYNTAX, 2, "expected a digit, got '-'" },
	{ "[0x10]", JSON_FAULT_SYNTAX, 2, "got 'x'" },
	{ "\"\\a\"", JSON_FAULT_SYNTAX, 2, "behind the backslash, got 'a'" },
	{ "\"\\'\"", JSON_FAULT_SYNTAX, 2, "got '''" },
	{ "\"\\u12g4\"", JSON_FAULT_SYNTAX, 5, "four hexadecimal digits, got 'g'" },
	{ "\"\\u\"", JSON_FAULT_SYNTAX, 3, "four hexadecimal digits, got '\"'" },
	{ "NaN", JSON_FAULT_NUMBER, 0, "got NaN" },
	{ "[NaN]", JSON_FAULT_NUMBER, 1, "got NaN" },
	{ "[-NaN]", JSON_FAULT_NUMBER, 1, "got -NaN" },
	{ "Infinity", JSON_FAULT_NUMBER, 0, "got Infinity" },
	{ "[-Infinity]", JSON_FAULT_NUMBER, 1, "got -Infinity" },
	{ "9223372036854775808", JSON_FAULT_NUMBER, 0, "int64: 9223372036854775808" },
	{ "-9223372036854775809", JSON_FAULT_NUMBER, 0, "int64: -9223372036854775809" },
	{ "[1,18446744073709551616]", JSON_FAULT_NUMBER, 3, "int64" },
	{ "[123456789012345678901234567890123456789012345678901234567890]", JSON_FAULT_NUMBER, 1, "…" },
	{ "1e400", JSON_FAULT_NUMBER, 0, "a double: 1e400" },
	{ "[-1e309]", JSON_FAULT_NUMBER, 1, "a double: -1e309" },
	{ "[1e999999999999999999999]", JSON_FAULT_NUMBER, 1, "a double" },
	{ "\"\\u0000\"", JSON_FAULT_TEXT, 1, "U+0000" },
	{ "{\"a\\u0000b\":1}", JSON_FAULT_TEXT, 3, "U+0000" },
	{ "\"\\ud800\"", JSON_FAULT_TEXT, 1, "lone surrogate \\ud800" },
	{ "\"\\ud800x\"", JSON_FAULT_TEXT, 1, "lone surrogate \\ud800" },
	{ "\"\\ud800\\n\"", JSON_FAULT_TEXT, 1, "lone surrogate \\ud800" },
	{ "\"\\ud800\\u0041\"", JSON_FAULT_TEXT, 1, "lone surrogate \\ud800" },
	{ "\"\\ud800\\ud801\"", JSON_FAULT_TEXT, 1, "lone surrogate \\ud800" },
	{ "\"ab\\uDFFF\"", JSON_FAULT_TEXT, 3, "lone surrogate \\udfff" },
	{ "\"\x1f\"", JSON_FAULT_TEXT, 1, "control character 0x1f" },
	{ "\"a\nb\"", JSON_FAULT_TEXT, 2, "control character 0x0a" },
	{ "{\"a\tb\":1}", JSON_FAULT_TEXT, 3, "control character 0x09" },
	{ "\"\x80\"", JSON_FAULT_TEXT, 1, "byte 0x80" },
	{ "\"\xff\"", JSON_FAULT_TEXT, 1, "byte 0xff" },
	{ "\"\xc0\xaf\"", JSON_FAULT_TEXT, 1, "byte 0xc0" },
	{ "\"\xe0\x9f\xbf\"", JSON_FAULT_TEXT, 2, "continuation byte of UTF-8, got byte 0x9f" },
	{ "\"\xed\xa0\x80\"", JSON_FAULT_TEXT, 2, "got byte 0xa0" },
	{ "\"\xf4\x90\x80\x80\"", JSON_FAULT_TEXT, 2, "got byte 0x90" },
	{ "\"\xf5\x80\x80\x80\"", JSON_FAULT_TEXT, 1, "byte 0xf5" },
	{ "\"\xc3\"", JSON_FAULT_TEXT, 2, "got '\"'" },
	{ "{\"a\":1,\"a\":2}", JSON_FAULT_REPEATED, 7, "the name \"a\"" },
	{ "{\"a\":1,\"b\":{\"a\":1,\"\\u0061\":2}}", JSON_FAULT_REPEATED, 18, "the name \"a\"" },
	{ "{\"\":1,\"\":null}", JSON_FAULT_REPEATED, 6, "the name \"\"" },
	{ "{} {}", JSON_FAULT_TRAILING, 3, "behind the end" },
	{ "{}x", JSON_FAULT_TRAILING, 2, "behind the end" },
	{ "1 2", JSON_FAULT_TRAILING, 2, "behind the end" },
	{ "[]]", JSON_FAULT_TRAILING, 2, "behind the end" },
	{ "truex", JSON_FAULT_TRAILING, 4, "behind the end" },
	{ "1x", JSON_FAULT_TRAILING, 1, "behind the end" },
};

START_TEST(text_that_is_no_json_is_refused_with_its_place)
{
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		JsonError error = parse_fault(bad[i].text, strlen(bad[i].text), JSON_DEPTH_DEFAULT);

		ck_assert_msg(error.fault == bad[i].fault && error.offset == bad[i].offset, "%s: fault %d at %zu (%s)",
			      bad[i].text, error.fault, error.offset, error.message);
		ck_assert_msg(strstr(error.message, bad[i].message), "%s: %s", bad[i].text, error.message);
	}
}
END_TEST

START_TEST(a_raw_nul_is_refused_wherever_it_stands)
{
	ck_assert_int_eq(parse_fault("\"a\0b\"", 5, 8).fault, JSON_FAULT_TEXT);
	ck_assert_int_eq(parse_fault("\0", 1, 8).fault, JSON_FAULT_SYNTAX);
	ck_assert_int_eq(parse_fault("1\0", 2, 8).fault, JSON_FAULT_TRAILING);
	ck_assert_int_eq(parse_fault("\"\\\0\"", 4, 8).fault, JSON_FAULT_SYNTAX);
	ck_assert_int_eq(parse_fault("{}\0", 3, 8).fault, JSON_FAULT_TRAILING);
}
END_TEST

static void nest(Buffer *buffer, const char *open, const char *inner, const char *close, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buffer_text(buffer, open);
	buffer_text(buffer, inner);
	for (size_t i = 0; i < depth; i++)
		buffer_text(buffer, close);
}

START_TEST(nesting_is_counted_up_to_the_limit)
{
	static const struct {
		const char *open, *inner, *close;
		unsigned each, more; /* levels that each pair opens, and that the innermost adds */
	} shapes[] = {
		{ "[", "", "]", 1, 0 },
		{ "[[],", "0", ",[]]", 1, 1 },
		{ "{\"a\":[", "1", "]}", 2, 0 },
		{ "{\"a\":", "{}", "}", 1, 1 },
	};

	for (size_t i = 0; i < ELEMENTSOF(shapes); i++)
		for (unsigned limit = 2; limit <= 512; limit *= 2) {
			_cleanup_buffer_ Buffer fits = { 0 }, over = { 0 };
			_cleanup_json_ struct json_object *json = NULL;
			unsigned pairs = (limit - shapes[i].more) / shapes[i].each;
			JsonError error;

			nest(&fits, shapes[i].open, shapes[i].inner, shapes[i].close, pairs);
			ck_assert_int_eq(json_parse((char *)fits.data, fits.size, limit, &json, &error), 0);
			nest(&over, shapes[i].open, shapes[i].inner, shapes[i].close, pairs + 1);
			error = parse_fault((char *)over.data, over.size, limit);
			ck_assert_int_eq(error.fault, JSON_FAULT_DEPTH);
		}
}
END_TEST

START_TEST(no_caller_can_ask_for_more_depth_than_the_scan_can_hold)
{
	_cleanup_buffer_ Buffer deep = { 0 };

	nest(&deep, "[", "", "]", JSON_DEPTH_MAX + 1);
	ck_assert_int_eq(parse_fault((char *)deep.data, deep.size, UINT32_MAX).fault, JSON_FAULT_DEPTH);
}
END_TEST

START_TEST(a_depth_of_none_takes_only_plain_values)
{
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;

	ck_assert_int_eq(json_parse("1", 1, 0, &json, &error), 0);
	ck_assert_int_eq(parse_fault("[]", 2, 0).fault, JSON_FAULT_DEPTH);
}
END_TEST

static const char *const good[] = {
	"{}",
	"[]",
	"\"\"",
	"null",
	"true",
	"false",
	"0",
	"-1",
	"9223372036854775807",
	"-9223372036854775808",
	"1.5",
	"-0.25",
	"1e5",
	"1E+2",
	"2.5e-3",
	"1e308",
	"[1,2.5,\"x\",null,true,false,{},[]]",
	" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
	"{\"program\":\"my_program\",\"data_pool\":{\"a\":\"variable A\",\"b\":2.345},\"metadata\":{}}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
	"\"Grüße € 😀 \x7f\"",
	"{\"\":0,\"a b\":1,\"\\n\":2,\"é\":3}",
	"[[[[[[[[[[1]]]]]]]]]]",
	"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
};

START_TEST(what_is_valid_reads_as_json_c_reads_it)
{
	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		_cleanup_json_ struct json_object *ours = parse(good[i]), *theirs = NULL;
		struct json_tokener *tokener = json_tokener_new();

		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
		theirs = json_tokener_parse_ex(tokener, good[i], (int)strlen(good[i]) + 1);
		ck_assert_int_eq(json_tokener_get_error(tokener), json_tokener_success);
		ck_assert_msg(json_object_equal(ours, theirs), "%s", good[i]);
		json_tokener_free(tokener);
	}
}
END_TEST

START_TEST(what_was_written_reads_back_the_same)
{
	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		_cleanup_json_ struct json_object *before = parse(good[i]), *after = NULL;
		_cleanup_free_ char *once = rewrite(good[i]), *twice = rewrite(once);

		after = parse(once);
		ck_assert(json_object_equal(before, after));
		ck_assert_str_eq(once, twice);
	}
}
END_TEST

START_TEST(every_split_of_a_text_scans_as_the_whole)
{
	for (size_t i = 0; i < ELEMENTSOF(good) + ELEMENTSOF(bad); i++) {
		const char *text = i < ELEMENTSOF(good) ? good[i] : bad[i - ELEMENTSOF(good)].text;
		size_t size = strlen(text);
		JsonScan whole, part;
		JsonError of_whole = { 0 }, of_part = { 0 };
		int r, s = -EAGAIN;

		json_scan_init(&whole, 32);
		r = json_scan(&whole, text, size, &of_whole);
		json_scan_init(&part, 32);
		for (size_t n = 0; n <= size && (s == -EAGAIN || part.depth == 0); n++) {
			s = json_scan(&part, text, n, &of_part);
			if (s == -EBADMSG)
				break;
		}
		ck_assert_msg(r == s, "%s: %d, then %d", text, r, s);
		ck_assert_uint_eq(whole.at, part.at);
		ck_assert_uint_eq(whole.members, part.members);
		ck_assert_int_eq(of_whole.fault, of_part.fault);
		ck_assert_uint_eq(of_whole.offset, of_part.offset);
	}
}
END_TEST

START_TEST(a_scan_stops_behind_the_value_and_counts_names)
{
	const char *text = " {\"a\":{\"b\":[{\"c\":1}]},\"d\":\"}\"}{\"e\":1}";
	JsonScan scan;
	JsonError error;

	json_scan_init(&scan, 32);
	ck_assert_int_eq(json_scan(&scan, text, strlen(text), &error), 0);
	ck_assert_uint_eq(scan.at, strlen(text) - strlen("{\"e\":1}"));
	ck_assert_uint_eq(scan.members, 4);
}
END_TEST

START_TEST(a_number_at_the_top_ends_with_the_text_and_may_go_on)
{
	JsonScan scan;
	JsonError error;

	json_scan_init(&scan, 1);
	ck_assert_int_eq(json_scan(&scan, "1", 1, &error), 0);
	ck_assert_int_eq(json_scan(&scan, "12", 2, &error), 0);
	ck_assert_int_eq(json_scan(&scan, "12.", 3, &error), -EAGAIN);
	ck_assert_int_eq(json_scan(&scan, "12.5 ", 5, &error), 0);
	ck_assert_uint_eq(scan.at, 4);
}
END_TEST

START_TEST(a_number_without_end_is_refused_before_it_ends)
{
	_cleanup_buffer_ Buffer digits = { 0 };
	JsonScan scan;
	JsonError error;

	buffer_text(&digits, "[0.");
	for (int i = 0; i < 2 * JSON_NUMBER_MAX; i++)
		buffer_u8(&digits, '1');
	json_scan_init(&scan, 1);
	ck_assert_int_eq(json_scan(&scan, (char *)digits.data, digits.size, &error), -EBADMSG);
	ck_assert_int_eq(error.fault, JSON_FAULT_NUMBER);
	ck_assert_uint_eq(error.offset, 1);
	digits.size = 1 + JSON_NUMBER_MAX;
	buffer_u8(&digits, ']');
	json_scan_init(&scan, 1);
	ck_assert_int_eq(json_scan(&scan, (char *)digits.data, digits.size, &error), 0);
}
END_TEST

START_TEST(json_build_notices_a_text_that_was_not_scanned)
{
	struct json_object *json = NULL;
	JsonError error;

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		int r;

		json = NULL;
		r = json_build(bad[i].text, strlen(bad[i].text), 77, &json, &error);
		ck_assert_msg(r == -EBADMSG, "%s: %d", bad[i].text, r);
		ck_assert_ptr_null(json);
	}
	ck_assert_int_eq(json_build("{\"a\":1}", 7, 2, &json, &error), -EBADMSG);
}
END_TEST

START_TEST(many_names_in_one_object_are_told_apart)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;

	for (int i = 0; i < 20000; i++)
		buffer_format(&text, "%s\"n%d\":%d", i == 0 ? "{" : ",", i, i);
	buffer_text(&text, "}");
	ck_assert_int_eq(json_parse((char *)text.data, text.size, 2, &json, &error), 0);
	ck_assert_int_eq(json_object_object_length(json), 20000);
	text.size--;
	buffer_text(&text, ",\"n0\":0}");
	error = parse_fault((char *)text.data, text.size, 2);
	ck_assert_int_eq(error.fault, JSON_FAULT_REPEATED);
	ck_assert_uint_eq(error.offset, text.size - strlen("\"n0\":0}"));
}
END_TEST

CHECK_MAIN(json, text_that_is_no_json_is_refused_with_its_place, a_raw_nul_is_refused_wherever_it_stands,
	   nesting_is_counted_up_to_the_limit, no_caller_can_ask_for_more_depth_than_the_scan_can_hold,
	   a_depth_of_none_takes_only_plain_values, what_is_valid_reads_as_json_c_reads_it,
	   what_was_written_reads_back_the_same, every_split_of_a_text_scans_as_the_whole,
	   a_scan_stops_behind_the_value_and_counts_names, a_number_at_the_top_ends_with_the_text_and_may_go_on,
	   a_number_without_end_is_refused_before_it_ends, json_build_notices_a_text_that_was_not_scanned,
	   many_names_in_one_object_are_told_apart)
