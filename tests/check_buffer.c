/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"

START_TEST(an_empty_buffer_holds_nothing_and_owns_nothing)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	ck_assert_int_eq(buffer_error(&buffer), 0);
	buffer_append(&buffer, NULL, 0);
	buffer_consume(&buffer, 0);
	ck_assert_uint_eq(buffer.size, 0);
	ck_assert_int_eq(buffer_error(&buffer), 0);
}
END_TEST

START_TEST(what_was_appended_comes_back_in_order)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *string = NULL, *empty = NULL;
	Reader reader;
	const void *block;
	size_t size;

	buffer_u8(&buffer, 0xfe);
	buffer_u16(&buffer, 0xfedc);
	buffer_u32(&buffer, 0xfedcba98);
	buffer_u64(&buffer, 0xfedcba9876543210);
	buffer_string(&buffer, "héllo");
	buffer_string(&buffer, NULL);
	buffer_block(&buffer, "a\0b", 3);
	ck_assert_int_eq(buffer_error(&buffer), 0);

	reader = reader_make(buffer.data, buffer.size);
	ck_assert_uint_eq(reader_u8(&reader), 0xfe);
	ck_assert_uint_eq(reader_u16(&reader), 0xfedc);
	ck_assert_uint_eq(reader_u32(&reader), 0xfedcba98);
	ck_assert_uint_eq(reader_u64(&reader), 0xfedcba9876543210);
	string = reader_string(&reader);
	ck_assert_str_eq(string, "héllo");
	empty = reader_string(&reader);
	ck_assert_str_eq(empty, "");
	block = reader_block(&reader, &size);
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(block, "a\0b", 3);
	ck_assert_uint_eq(reader_left(&reader), 0);
	ck_assert_int_eq(reader_error(&reader), 0);
}
END_TEST

START_TEST(numbers_are_little_endian)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_u16(&buffer, 0x0102);
	buffer_u32(&buffer, 0x03040506);
	buffer_u64(&buffer, 0x0708090a0b0c0d0e);
	ck_assert_mem_eq(buffer.data, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 14);
}
END_TEST

START_TEST(a_buffer_grows_as_far_as_it_must)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		buffer_u32(&buffer, i);
	ck_assert_int_eq(buffer_error(&buffer), 0);
	ck_assert_uint_eq(buffer.size, 400000);
	Reader reader = reader_make(buffer.data, buffer.size);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_uint_eq(reader_u32(&reader), i);
}
END_TEST

START_TEST(reserved_room_counts_only_when_the_caller_says_so)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	uint8_t *at;

	buffer_text(&buffer, "ab");
	at = buffer_reserve(&buffer, 1000);
	ck_assert_ptr_nonnull(at);
	memset(at, 'x', 1000);
	ck_assert_uint_eq(buffer.size, 2);
	buffer.size += 3;
	buffer_text(&buffer, "c");
	ck_assert_mem_eq(buffer.data, "abxxxc", 6);
}
END_TEST

START_TEST(a_failure_to_grow_sticks_until_the_buffer_is_cleared)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "kept");
	ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX - 2));
	ck_assert_int_eq(buffer_error(&buffer), -ENOMEM);
	buffer_text(&buffer, "dropped");
	buffer_patch_u32(&buffer, 0, 0);
	buffer_format(&buffer, "%d", 1);
	ck_assert_uint_eq(buffer.size, 4);
	ck_assert_mem_eq(buffer.data, "kept", 4);
	buffer_clear(&buffer);
	ck_assert_int_eq(buffer_error(&buffer), 0);
	buffer_text(&buffer, "new");
	ck_assert_uint_eq(buffer.size, 3);
}
END_TEST

START_TEST(a_failed_buffer_gives_no_text)
{
	Buffer buffer = { 0 };

	buffer_text(&buffer, "x");
	ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX));
	ck_assert_ptr_null(buffer_take_text(&buffer));
	ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(bytes_are_taken_away_from_the_front)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "abcdef");
	buffer_consume(&buffer, 2);
	ck_assert_uint_eq(buffer.size, 4);
	ck_assert_mem_eq(buffer.data, "cdef", 4);
	buffer_consume(&buffer, 4);
	ck_assert_uint_eq(buffer.size, 0);
}
END_TEST

START_TEST(a_length_that_was_not_known_before_is_patched_in)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_u8(&buffer, 7);
	buffer_u32(&buffer, 0);
	buffer_text(&buffer, "abc");
	buffer_patch_u32(&buffer, 1, 3);
	ck_assert_mem_eq(buffer.data, "\7\3\0\0\0abc", 8);
}
END_TEST

START_TEST(formatted_text_has_no_terminator_in_it)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *text = NULL;

	buffer_format(&buffer, "%s-%d", "a", 5);
	buffer_format(&buffer, "%0300d", 1);
	ck_assert_uint_eq(buffer.size, 303);
	text = buffer_take_text(&buffer);
	ck_assert_uint_eq(strlen(text), 303);
	ck_assert_uint_eq(buffer.size, 0);
	ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(reading_past_the_end_sticks_and_yields_nothing)
{
	Reader reader = reader_make("\1\2\3", 3);
	size_t size = 5;

	ck_assert_uint_eq(reader_u16(&reader), 0x0201);
	ck_assert_uint_eq(reader_u32(&reader), 0);
	ck_assert_int_eq(reader_error(&reader), -EBADMSG);
	ck_assert_uint_eq(reader_u8(&reader), 0);
	ck_assert_uint_eq(reader_left(&reader), 0);
	ck_assert_ptr_null(reader_block(&reader, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_null(reader_string(&reader));
}
END_TEST

START_TEST(a_length_beyond_the_end_is_bad)
{
	Reader reader = reader_make("\5\0\0\0abcd", 8);
	size_t size;

	ck_assert_ptr_null(reader_block(&reader, &size));
	ck_assert_int_eq(reader_error(&reader), -EBADMSG);
	reader = reader_make("\xff\xff\xff\xff", 4);
	ck_assert_ptr_null(reader_string(&reader));
	ck_assert_int_eq(reader_error(&reader), -EBADMSG);
}
END_TEST

START_TEST(a_reader_of_nothing_is_at_its_end)
{
	Reader reader = reader_make(NULL, 0);

	ck_assert_uint_eq(reader_left(&reader), 0);
	ck_assert_int_eq(reader_error(&reader), 0);
	ck_assert_uint_eq(reader_u64(&reader), 0);
	ck_assert_int_eq(reader_error(&reader), -EBADMSG);
}
END_TEST

CHECK_MAIN(buffer, an_empty_buffer_holds_nothing_and_owns_nothing, what_was_appended_comes_back_in_order,
	   numbers_are_little_endian, a_buffer_grows_as_far_as_it_must,
	   reserved_room_counts_only_when_the_caller_says_so, a_failure_to_grow_sticks_until_the_buffer_is_cleared,
	   a_failed_buffer_gives_no_text, bytes_are_taken_away_from_the_front,
	   a_length_that_was_not_known_before_is_patched_in, formatted_text_has_no_terminator_in_it,
	   reading_past_the_end_sticks_and_yields_nothing, a_length_beyond_the_end_is_bad,
	   a_reader_of_nothing_is_at_its_end)
