/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/escape.h"

#include <string.h>

#include "check_main.h"

static char *as_comment(const char *text, const char *indent)
{
	Buffer buffer = { 0 };

	escape_comment(text, indent, &buffer);
	return buffer_take_text(&buffer);
}

static void assert_string(const char *text, const char *expected)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *found = NULL;

	escape_string(text, strlen(text), &buffer);
	found = buffer_take_text(&buffer);
	ck_assert_str_eq(found, expected);
}

static void assert_comment(const char *text, const char *expected)
{
	_cleanup_free_ char *found = as_comment(text, "");

	ck_assert_str_eq(found, expected);
}

static void assert_inline(const char *text, size_t max, const char *expected)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *found = NULL;

	escape_inline(text, max, &buffer);
	found = buffer_take_text(&buffer);
	ck_assert_str_eq(found, expected);
}

START_TEST(a_literal_is_printable_ascii_without_trigraphs)
{
	assert_string("", "\"\"");
	assert_string("plain %s", "\"plain %s\"");
	assert_string("a\"b\\c", "\"a\\\"b\\\\c\"");
	assert_string("\n\t", "\"\\n\\t\"");
	assert_string("?\?/", "\"\\?\\?/\"");
	assert_string("\x01"
		      "1",
		      "\"\\0011\"");
	assert_string("é", "\"\\303\\251\"");
	assert_string("\x7f", "\"\\177\"");
}
END_TEST

START_TEST(long_text_is_cut_into_one_literal_a_line)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *found = NULL;
	char text[201];

	memset(text, 'x', 200);
	text[200] = '\0';
	text[3] = '\n';
	escape_lines(text, 200, &buffer);
	found = buffer_take_text(&buffer);
	ck_assert_ptr_eq(strstr(found, "\t\"xxx\\n\"\n\t\"x"), found);
	for (char *line = found, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		ck_assert_int_eq(line[0], '\t');
		ck_assert_int_eq(end[-1], '"');
		ck_assert_int_le(end - line, 95);
	}
}
END_TEST

START_TEST(a_comment_cannot_be_ended_from_within)
{
	assert_comment("", "");
	assert_comment(" \n ", "");
	assert_comment("Adds.", "/** Adds. */\n");
	assert_comment("a */ b", "/** a * / b */\n");
	assert_comment("a **/ /* b", "/** a ** / / * b */\n");
	assert_comment("/", "/** / */\n");
	assert_comment("*", "/** * */\n");
	assert_comment("a\n*/ b", "/** a * / b */\n");
}
END_TEST

START_TEST(a_comment_holds_no_trigraph_and_no_joined_line)
{
	assert_comment("what?\?\?", "/** what? ? ? */\n");
	assert_comment("what?\?/ now", "/** what? ?/ now */\n");
	assert_comment("path\\", "/** path\\  */\n");
	assert_comment("100% %s", "/** 100% %s */\n");
}
END_TEST

START_TEST(control_and_bidirectional_characters_do_not_reach_a_comment)
{
	assert_comment("a\x01"
		       "b\x7f",
		       "/** a b  */\n");
	assert_comment("a\xc2\x85"
		       "b",
		       "/** a b */\n");
	assert_comment("a\xe2\x80\xae"
		       "b",
		       "/** a<U+202E>b */\n");
	assert_comment("a\xe2\x81\xa6"
		       "b",
		       "/** a<U+2066>b */\n");
	assert_comment("Überweisung 送金 🐉", "/** Überweisung 送金 🐉 */\n");
}
END_TEST

START_TEST(a_long_comment_is_wrapped_between_words)
{
	_cleanup_free_ char *found = NULL;
	char text[1001];

	for (size_t i = 0; i < 1000; i++)
		text[i] = i % 10 == 9 ? ' ' : 'w';
	text[1000] = '\0';
	found = as_comment(text, "\t");
	for (char *line = found, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		ck_assert_int_eq(strncmp(line, line == found ? "\t/** w" : "\t * w", 5), 0);
		ck_assert_int_le(end - line, 110);
	}
}
END_TEST

START_TEST(inline_text_is_cut_between_characters)
{
	assert_inline("abc", 3, "abc");
	assert_inline("abcd", 3, "abc…");
	assert_inline("éé", 1, "é…");
	assert_inline("a*/b", 10, "a* /b");
}
END_TEST

CHECK_MAIN(escape, a_literal_is_printable_ascii_without_trigraphs, long_text_is_cut_into_one_literal_a_line,
	   a_comment_cannot_be_ended_from_within, a_comment_holds_no_trigraph_and_no_joined_line,
	   control_and_bidirectional_characters_do_not_reach_a_comment, a_long_comment_is_wrapped_between_words,
	   inline_text_is_cut_between_characters)
