/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <string.h>

#include "base/text.h"

static bool is_utf8(const char *text)
{
	return text_is_utf8(text, strlen(text));
}

START_TEST(utf_8_is_told_from_what_is_not)
{
	static const char *const good[] = { "",
					    "a",
					    "\x7f",
					    "\x01",
					    "é",
					    "€",
					    "😀",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "\xc2\x80",
					    "\xe0\xa0\x80",
					    "\xf0\x90\x80\x80",
					    "abcdefgh",
					    "abcdefghé",
					    "abcdefgé😀abcdefgh" };
	static const char *const bad[] = { "\x80",
					   "\xbf",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xc2",
					   "\xc2(",
					   "\xe0\x9f\xbf",
					   "\xe2\x82",
					   "\xed\xa0\x80",
					   "\xed\xbf\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "\xfe",
					   "abcdefgh\xff",
					   "abcdefg\xc3",
					   "\xe2\x28\xa1",
					   "\xf0\x9f\x98" };

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		ck_assert_msg(is_utf8(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		ck_assert_msg(!is_utf8(bad[i]), "%zu", i);
}
END_TEST

START_TEST(a_nul_is_no_text_wherever_it_stands)
{
	char text[24];

	for (size_t size = 1; size <= sizeof(text); size++)
		for (size_t at = 0; at < size; at++) {
			memset(text, 'x', sizeof(text));
			ck_assert(text_is_utf8(text, size));
			text[at] = '\0';
			ck_assert(!text_is_utf8(text, size));
		}
}
END_TEST

START_TEST(every_code_point_is_one_character)
{
	for (unsigned code = 1; code <= 0x110000; code += code < 0x3000 ? 1 : 97) {
		char text[4] = { (char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3f)),
				 (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)) };
		size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		char *at = text + 4 - size;
		bool valid = !(code >= 0xd800 && code <= 0xdfff) && code <= 0x10ffff;

		if (size == 1)
			at[0] = (char)code;
		else if (size < 4)
			at[0] = (char)((0xf00U >> size & 0xff) | code >> 6 * (size - 1));
		ck_assert_msg(text_utf8_length(at, size) == (valid ? size : 0), "U+%04X", code);
		ck_assert_uint_eq(text_utf8_length(at, size - 1), 0);
	}
}
END_TEST

static void expect_escaped(const char *text, size_t max, const char *expected)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	text_escape(text, strlen(text), max, &buffer);
	buffer_u8(&buffer, 0);
	ck_assert_str_eq((char *)buffer.data, expected);
}

START_TEST(what_could_forge_a_line_or_a_terminal_sequence_is_escaped)
{
	expect_escaped("plain é€😀 text", 100, "plain é€😀 text");
	expect_escaped("a\nb\r\tc", 100, "a\\x0ab\\x0d\\x09c");
	expect_escaped("\x1b[31mred\x7f", 100, "\\x1b[31mred\\x7f");
	expect_escaped("\xc2\x9b"
		       "31m",
		       100, "\\xc2\\x9b31m");
	expect_escaped("\xc2\xa0", 100, "\xc2\xa0");
	expect_escaped("a\xff\xc3(", 100, "a\\xff\\xc3(");
	expect_escaped("\x9b", 100, "\\x9b");
}
END_TEST

START_TEST(escaped_text_is_cut_between_characters_and_marked)
{
	expect_escaped("abc", 3, "abc");
	expect_escaped("abcd", 3, "abc…");
	expect_escaped("aé", 2, "a…");
	expect_escaped("aé", 3, "aé");
	expect_escaped("aéb", 3, "aé…");
	expect_escaped("x", 0, "…");
	expect_escaped("", 0, "");
	expect_escaped("\n\n\n", 2, "\\x0a\\x0a…");
}
END_TEST

START_TEST(distance_counts_edits)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} pairs[] = {
		{ "", "", 0 },
		{ "abc", "abc", 0 },
		{ "", "abc", 3 },
		{ "abc", "abd", 1 },
		{ "abc", "ab", 1 },
		{ "ab", "abc", 1 },
		{ "program", "porgram", 1 },
		{ "ab", "ba", 1 },
		{ "kitten", "sitting", 3 },
		{ "abcd", "badc", 2 },
		{ "abc", "xyz", 3 },
		{ "ca", "abc", 3 },
	};

	for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
		ck_assert_uint_eq(text_distance(pairs[i].a, pairs[i].b, 10), pairs[i].distance);
		ck_assert_uint_eq(text_distance(pairs[i].b, pairs[i].a, 10), pairs[i].distance);
	}
}
END_TEST

START_TEST(distance_is_capped)
{
	static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	ck_assert_uint_eq(text_distance("abcdef", "uvwxyz", 2), 3);
	ck_assert_uint_eq(text_distance(a, a, 4), 0);
	ck_assert_uint_eq(text_distance(a, "a", 4), 5);
}
END_TEST

START_TEST(the_closest_word_is_found_if_it_is_close_enough)
{
	static const char *const words[] = { "program", "data_pool", "metadata", "wait", "id" };

	ck_assert_str_eq(text_closest("progam", words, 5), "program");
	ck_assert_str_eq(text_closest("datapool", words, 5), "data_pool");
	ck_assert_str_eq(text_closest("wiat", words, 5), "wait");
	ck_assert_str_eq(text_closest("id", words, 5), "id");
	ck_assert_str_eq(text_closest("ids", words, 5), "id");
	ck_assert_ptr_null(text_closest("banana", words, 5));
	ck_assert_ptr_null(text_closest("xy", words, 5));
	ck_assert_ptr_null(text_closest("wait", words, 0));
}
END_TEST

START_TEST(identifiers_are_those_of_c)
{
	static const char *const good[] = { "a", "_", "_a1", "Zz9_", "int" };
	static const char *const bad[] = { "", "1a", "a-b", "a b", "é", "a.b", "a\n" };

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		ck_assert(text_is_identifier(good[i]));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		ck_assert(!text_is_identifier(bad[i]));
}
END_TEST

CHECK_MAIN(text, utf_8_is_told_from_what_is_not, a_nul_is_no_text_wherever_it_stands, every_code_point_is_one_character,
	   what_could_forge_a_line_or_a_terminal_sequence_is_escaped, escaped_text_is_cut_between_characters_and_marked,
	   distance_counts_edits, distance_is_capped, the_closest_word_is_found_if_it_is_close_enough,
	   identifiers_are_those_of_c)
