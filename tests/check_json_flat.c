/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json_flat.h"

/* The members as "name:type=value", an object's in braces behind it; "-" behind what is not plain. */
static char *read_all(const char *text, size_t size)
{
	_cleanup_buffer_ Buffer shown = { 0 };
	JsonMember member;
	JsonFlat flat;
	int r, depth = 1;

	r = json_flat_init(&flat, text, size);
	while (r >= 0 && depth > 0) {
		r = json_flat_next(&flat, &member);
		if (r <= 0) {
			buffer_text(&shown, r < 0 ? "-" : "}");
			depth--;
			continue;
		}
		depth += member.type == VALUE_DICT;
		buffer_format(&shown, "%.*s:%s", (int)member.name_size, member.name, value_type_name(member.type));
		if (member.type == VALUE_STRING)
			buffer_format(&shown, "=%.*s", (int)member.string.size, member.string.data);
		else if (member.type == VALUE_INT)
			buffer_format(&shown, "=%lld", (long long)member.integer);
		else if (member.type == VALUE_FLOAT)
			buffer_format(&shown, "=%g", member.real);
		else if (member.type == VALUE_BOOL)
			buffer_text(&shown, member.boolean ? "=true" : "=false");
		buffer_text(&shown, member.type == VALUE_DICT ? "{" : " ");
	}
	if (r < 0 && shown.size == 0)
		buffer_u8(&shown, '-');
	return buffer_take_text(&shown);
}

static void ck_reads(const char *text, const char *expected)
{
	_cleanup_free_ char *copy = strndup(text, strlen(text)), *shown = read_all(copy, strlen(copy));

	ck_assert_str_eq(shown, expected);
}

START_TEST(members_come_in_their_order_with_their_values)
{
	ck_reads("{}", "}");
	ck_reads(" { \"a\" : 1 , \"b\":-2.5e1,\"c\":true,\"d\":false,\"e\":null,\"f\":\"x y\" } ",
		 "a:int=1 b:float=-25 c:bool=true d:bool=false e:none f:string=x y }");
	ck_reads("{\"n\":9223372036854775807,\"m\":-9223372036854775808,\"z\":-0}",
		 "n:int=9223372036854775807 m:int=-9223372036854775808 z:int=0 }");
	ck_reads("{\"a\":\"\",\"\":\"\xc3\xa4\x7f\"}", "a:string= :string=\xc3\xa4\x7f }");
	ck_reads("{\"a\":1,\"a\":2}", "a:int=1 a:int=2 }");
}
END_TEST

START_TEST(an_objects_members_follow_it_and_then_what_is_behind_it)
{
	ck_reads("{\"a\":{\"b\":{}, \"c\":1},\"d\":2}", "a:dict{b:dict{}c:int=1 }d:int=2 }");
}
END_TEST

START_TEST(lists_and_escapes_are_left_to_the_tree)
{
	ck_reads("[]", "-");
	ck_reads("{\"a\":[1]}", "-");
	ck_reads("{\"a\":1,\"b\":\"\\n\"}", "a:int=1 -");
	ck_reads("{\"\\u0061\":1}", "-");
}
END_TEST

/* Cut anywhere, in memory of just that size: a tool for that sees what is read beyond it. */
START_TEST(nothing_is_read_beyond_the_text)
{
	const char *text = "{\"name\":\"0123456789 0123456789\",\"b\":{\"c\":-12.5,\"d\":true},\"e\":null,\"f\":false}";

	for (size_t size = 0; size < strlen(text); size++) {
		_cleanup_free_ char *cut = malloc(size ? size : 1), *shown = NULL;

		memcpy(cut, text, size);
		shown = read_all(cut, size);
		ck_assert_msg(strchr(shown, '-'), "%zu: %s", size, shown);
	}
}
END_TEST

static bool is_plain(int byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

START_TEST(plain_bytes_are_counted_wherever_they_end)
{
	char text[64];

	for (size_t size = 0; size < sizeof(text); size++)
		for (int byte = 0; byte < 256; byte++)
			for (size_t at = 0; at < size; at++) {
				memset(text, 'a' + (int)at % 20, sizeof(text));
				text[at] = (char)byte;
				ck_assert_uint_eq(json_plain_size(text, size), is_plain(byte) ? size : at);
			}
	memset(text, 0x20, sizeof(text));
	ck_assert_uint_eq(json_plain_size(text, sizeof(text)), sizeof(text));
	memset(text, 0x7f, sizeof(text));
	ck_assert_uint_eq(json_plain_size(text, sizeof(text)), sizeof(text));
}
END_TEST

CHECK_MAIN(json_flat, members_come_in_their_order_with_their_values,
	   an_objects_members_follow_it_and_then_what_is_behind_it, lists_and_escapes_are_left_to_the_tree,
	   nothing_is_read_beyond_the_text, plain_bytes_are_counted_wherever_they_end)
