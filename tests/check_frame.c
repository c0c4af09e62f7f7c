/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "wire/frame.h"

#define SIZE_MAX_HERE 1000

/* Feeds `text` in pieces of `piece` bytes; the objects that come out are joined by '\n', then "!NAME" of an error. */
static char *feed(const char *text, size_t size, size_t piece, size_t size_max, uint32_t depth_max)
{
	_cleanup_error_ Error error = { 0 };
	Buffer found = { 0 };
	Frame frame;
	int r = 0;

	frame_init(&frame, size_max, depth_max);
	for (size_t at = 0; at < size && r >= 0; at += piece) {
		const char *object;
		size_t object_size, members;

		ck_assert_int_eq(frame_append(&frame, text + at, MIN(piece, size - at)), 0);
		while ((r = frame_next(&frame, &object, &object_size, &members, &error)) > 0) {
			buffer_append(&found, object, object_size);
			buffer_text(&found, "\n");
		}
	}
	if (r < 0)
		buffer_format(&found, "!%s", error_name(error.code));
	else if (frame_within(&frame))
		buffer_text(&found, "…");
	frame_done(&frame);
	return buffer_take_text(&found);
}

static void expect(const char *text, const char *expected)
{
	size_t size = strlen(text);

	for (size_t piece = 1; piece <= size + 1; piece++) {
		_cleanup_free_ char *found = feed(text, size, piece, SIZE_MAX_HERE, 4);

		ck_assert_msg(strcmp(found, expected) == 0, "%s, in pieces of %zu: %s", text, piece, found);
	}
}

START_TEST(objects_are_found_however_the_bytes_arrive)
{
	expect("", "");
	expect(" \t\r\n", "");
	expect("{}", "{}\n");
	expect("{}{}", "{}\n{}\n");
	expect(" {\"a\":1} \n\n {\"b\":[2]}\r\n", "{\"a\":1}\n{\"b\":[2]}\n");
	expect("{\"a\":\"}{\\\"\"}{\"b\":\"\\\\\"}", "{\"a\":\"}{\\\"\"}\n{\"b\":\"\\\\\"}\n");
	expect("{\"a\":{\"b\":[{}]}}{\"c\"", "{\"a\":{\"b\":[{}]}}\n…");
	expect("{\"é😀\":\"\\ud83d\\ude00\"}", "{\"é😀\":\"\\ud83d\\ude00\"}\n");
	expect("{", "…");
}
END_TEST

START_TEST(what_is_no_object_loses_the_framing)
{
	static const char *const bad[] = { "[",
					   "[]",
					   "1",
					   "x",
					   "\"a\"",
					   "}",
					   "null",
					   "\x01",
					   "\xef\xbb\xbf{}",
					   ",",
					   "{x",
					   "{\"a\":tru_",
					   "{\"a\":NaN",
					   "{\"a\":01",
					   "{\"a\":\"\n",
					   "{\"\\ud800x",
					   "{\"a\":1]",
					   "{\"a\":99999999999999999999}",
					   "{\"a\":\"\xff",
					   "{\"\\u0000" };

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		expect(bad[i], "!BadJSON");
}
END_TEST

START_TEST(objects_before_a_fault_are_still_handed_out)
{
	expect("{\"a\":1} {} x{}", "{\"a\":1}\n{}\n!BadJSON");
	expect("{}garbage", "{}\n!BadJSON");
	expect("{}[{}]", "{}\n!BadJSON");
	expect("{},{}", "{}\n!BadJSON");
}
END_TEST

START_TEST(nesting_beyond_the_limit_is_too_deep)
{
	expect("{\"a\":[[{}]]}", "{\"a\":[[{}]]}\n");
	expect("{\"a\":[[[{}]]]}", "!TooDeep");
	expect("{\"a\":[[[[", "!TooDeep");
}
END_TEST

static char *message_of(const char *text)
{
	Error error = { 0 };
	Frame frame;
	const char *object;
	size_t size, members;

	frame_init(&frame, SIZE_MAX_HERE, 4);
	ck_assert_int_eq(frame_append(&frame, text, strlen(text)), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), -EBADMSG);
	ck_assert_ptr_null(error.path);
	frame_done(&frame);
	return error.message;
}

START_TEST(a_fault_names_the_byte_and_what_was_expected)
{
	static const char *const pairs[][2] = {
		{ "[", "expected a JSON object, got byte 0x5b ('['); the connection is closed" },
		{ " \x01", "expected a JSON object, got byte 0x01; the connection is closed" },
		{ "  {\"a\" 1}", "expected ':', got '1', at byte 5 of the request; the connection is closed" },
		{ "{\"a\":[[[[", "nested deeper than 4, at byte 8 of the request; the connection is closed" },
	};

	for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
		_cleanup_free_ char *message = message_of(pairs[i][0]);

		ck_assert_str_eq(message, pairs[i][1]);
	}
}
END_TEST

static void make_object(Buffer *buffer, size_t size)
{
	buffer_text(buffer, "{\"a\":\"");
	for (size_t i = 8; i < size; i++)
		buffer_u8(buffer, 'x');
	buffer_text(buffer, "\"}");
	ck_assert_uint_eq(buffer->size, size);
}

START_TEST(an_object_of_exactly_the_limit_passes_and_one_byte_more_does_not)
{
	_cleanup_buffer_ Buffer fits = { 0 }, over = { 0 };

	make_object(&fits, SIZE_MAX_HERE);
	make_object(&over, SIZE_MAX_HERE + 1);
	for (size_t piece = 1; piece <= SIZE_MAX_HERE + 1; piece += 111) {
		_cleanup_free_ char *passed = feed((char *)fits.data, fits.size, piece, SIZE_MAX_HERE, 4);
		_cleanup_free_ char *refused = feed((char *)over.data, over.size, piece, SIZE_MAX_HERE, 4);

		ck_assert_uint_eq(strlen(passed), SIZE_MAX_HERE + 1);
		ck_assert_str_eq(refused, "!TooLarge");
	}
}
END_TEST

START_TEST(white_space_between_objects_counts_for_no_limit_and_is_not_kept)
{
	_cleanup_error_ Error error = { 0 };
	char spaces[500];
	const char *object;
	size_t size, members;
	Frame frame;

	memset(spaces, ' ', sizeof(spaces));
	frame_init(&frame, 10, 4);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(frame_append(&frame, spaces, sizeof(spaces)), 0);
		ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 0);
		ck_assert_uint_eq(frame_held(&frame), 0);
		ck_assert(!frame_within(&frame));
	}
	ck_assert_uint_le(frame.buffer.capacity, 1024);
	ck_assert_int_eq(frame_append(&frame, "{\"a\":1}", 7), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 1);
	ck_assert_uint_eq(members, 1);
	frame_done(&frame);
}
END_TEST

START_TEST(an_endless_string_is_too_large_before_it_is_held)
{
	_cleanup_error_ Error error = { 0 };
	char part[100];
	const char *object;
	size_t size, members, most = 0;
	Frame frame;
	int r;

	memset(part, 'x', sizeof(part));
	frame_init(&frame, SIZE_MAX_HERE, 4);
	ck_assert_int_eq(frame_append(&frame, "{\"a\":\"", 6), 0);
	while ((r = frame_next(&frame, &object, &size, &members, &error)) == 0) {
		ck_assert_int_eq(frame_append(&frame, part, sizeof(part)), 0);
		most = MAX(most, frame_held(&frame));
	}
	ck_assert_int_eq(r, -EBADMSG);
	ck_assert_int_eq(error.code, ERROR_TOO_LARGE);
	ck_assert_str_eq(error.message, "expected a request of at most 1000 bytes, got more; the connection is closed");
	ck_assert_uint_le(most, SIZE_MAX_HERE + sizeof(part));
	frame_done(&frame);
}
END_TEST

START_TEST(once_lost_the_framing_stays_lost_and_nothing_is_held)
{
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;

	frame_init(&frame, SIZE_MAX_HERE, 4);
	ck_assert_int_eq(frame_append(&frame, "x{}", 3), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), -EBADMSG);
		ck_assert_int_eq(error.code, ERROR_BAD_JSON);
		ck_assert_int_eq(frame_append(&frame, "{}", 2), 0);
		ck_assert_uint_eq(frame_held(&frame), 0);
		ck_assert(!frame_within(&frame));
	}
	frame_done(&frame);
}
END_TEST

START_TEST(an_object_that_does_not_end_before_the_sender_does_is_a_fault)
{
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;

	frame_init(&frame, SIZE_MAX_HERE, 4);
	ck_assert_int_eq(frame_end(&frame, &error), 0);
	ck_assert_int_eq(frame_append(&frame, "{} {\"a\":1", 9), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 1);
	ck_assert_int_eq(frame_end(&frame, &error), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 0);
	ck_assert(frame_within(&frame));
	ck_assert_int_eq(frame_end(&frame, &error), -EBADMSG);
	ck_assert_int_eq(error.code, ERROR_BAD_JSON);
	ck_assert_ptr_nonnull(strstr(error.message, "got the end of the text, at byte 6"));
	frame_done(&frame);
}
END_TEST

START_TEST(a_connection_at_rest_keeps_little_memory)
{
	_cleanup_buffer_ Buffer big = { 0 };
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;

	make_object(&big, 1 << 20);
	frame_init(&frame, 1 << 20, 4);
	ck_assert_int_eq(frame_append(&frame, big.data, big.size), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 1);
	ck_assert_uint_eq(size, 1 << 20);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 0);
	ck_assert_uint_le(frame.buffer.capacity, 1 << 14);
	frame_done(&frame);
}
END_TEST

START_TEST(many_objects_in_one_buffer_are_all_handed_out)
{
	enum { N = 200000 };
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	unsigned n = 0;
	Frame frame;

	for (int i = 0; i < N; i++)
		buffer_text(&text, "{\"a\":1}");
	frame_init(&frame, SIZE_MAX_HERE, 4);
	ck_assert_int_eq(frame_append(&frame, text.data, text.size), 0);
	while (frame_next(&frame, &object, &size, &members, &error) > 0) {
		ck_assert_uint_eq(size, 7);
		ck_assert_uint_eq(frame_held(&frame), text.size - 7U * ++n);
	}
	ck_assert_uint_eq(n, N);
	frame_done(&frame);
}
END_TEST

START_TEST(an_object_in_single_bytes_is_looked_at_once)
{
	_cleanup_buffer_ Buffer big = { 0 };
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;

	make_object(&big, 1 << 20);
	frame_init(&frame, 1 << 20, 4);
	for (size_t i = 0; i < big.size; i++) {
		size_t before = frame.scanning ? frame.scan.at : 0;
		int r;

		ck_assert_int_eq(frame_append(&frame, big.data + i, 1), 0);
		r = frame_next(&frame, &object, &size, &members, &error);
		ck_assert_int_eq(r, i + 1 == big.size);
		ck_assert_uint_eq(frame.scan.at, before + 1);
	}
	ck_assert_mem_eq(object, big.data, big.size);
	frame_done(&frame);
}
END_TEST

CHECK_MAIN(frame, objects_are_found_however_the_bytes_arrive, what_is_no_object_loses_the_framing,
	   objects_before_a_fault_are_still_handed_out, nesting_beyond_the_limit_is_too_deep,
	   a_fault_names_the_byte_and_what_was_expected,
	   an_object_of_exactly_the_limit_passes_and_one_byte_more_does_not,
	   white_space_between_objects_counts_for_no_limit_and_is_not_kept,
	   an_endless_string_is_too_large_before_it_is_held, once_lost_the_framing_stays_lost_and_nothing_is_held,
	   an_object_that_does_not_end_before_the_sender_does_is_a_fault, a_connection_at_rest_keeps_little_memory,
	   many_objects_in_one_buffer_are_all_handed_out, an_object_in_single_bytes_is_looked_at_once)
