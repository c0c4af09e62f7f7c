/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <string.h>

#include "wire/request.h"

/* Scans as the framing does, then parses. */
static int parse(const char *text, Request *ret, Error *error)
{
	JsonError json;
	JsonScan scan;

	json_scan_init(&scan, 32);
	ck_assert_msg(json_scan(&scan, text, strlen(text), &json) == 0, "%s", text);
	return request_parse(text, strlen(text), scan.members, ret, error);
}

static bool read_plain(const char *text, RequestPlain *ret)
{
	_cleanup_free_ char *copy = strndup(text, strlen(text));

	return request_read_plain(copy, strlen(copy), ret);
}

START_TEST(a_plain_request_says_what_its_tree_says)
{
	static const char *const texts[] = {
		"{\"program\":\"transfer\"}",
		"{\"program\":\"transfer\",\"data_pool\":{\"from\":\"main\",\"amount\":5}}",
		" {\"data_pool\" : { } , \"follow\":true,\"wait\":true,\"id\":-17,\"program\":\"t\"}",
		"{\"id\":\"~ !/[]\",\"program\":\"\",\"data_pool\":{\"a\":null,\"a\":1.5}}",
		"{\"id\":-0,\"program\":\"x\",\"follow\":false}",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		RequestPlain plain;
		_cleanup_error_ Error error = { 0 };
		Request request;

		ck_assert_msg(read_plain(texts[i], &plain), "%s", texts[i]);
		if (parse(texts[i], &request, &error) == 0) { /* what is repeated is for others to find */
			ck_assert_int_eq(request.kind, plain.request.kind);
			ck_assert_str_eq(request.name, plain.request.name);
			ck_assert_int_eq(request.follow, plain.request.follow);
			ck_assert(request.wait && plain.request.wait);
			ck_assert_double_eq(request.start_within, plain.request.start_within);
			ck_assert_pstr_eq(request.id_text, plain.request.id_text);
			ck_assert_uint_eq(plain.n_pool,
					  request.data_pool ? (size_t)json_object_object_length(request.data_pool) : 0);
		}
		request_done(&request);
		request_done(&plain.request);
	}
}
END_TEST

START_TEST(what_is_not_plain_is_left_to_the_tree)
{
	static const char *const texts[] = {
		"{}",
		"{\"data_pool\":{}}",
		"{\"call\":\"status\"}",
		"{\"program\":1}",
		"{\"program\":\"x\",\"program\":\"x\"}",
		"{\"program\":\"x\",\"wait\":false}",
		"{\"program\":\"x\",\"follow\":1}",
		"{\"program\":\"x\",\"request_id\":\"a\"}",
		"{\"program\":\"x\",\"metadata\":{}}",
		"{\"program\":\"x\",\"start_within\":1}",
		"{\"program\":\"x\",\"unknown\":1}",
		"{\"program\":\"x\",\"data_pool\":null}",
		"{\"program\":\"x\",\"data_pool\":{\"a\":[1]}}",
		"{\"program\":\"x\",\"data_pool\":{\"a\":{\"b\":1}}}",
		"{\"program\":\"x\",\"data_pool\":{\"a\":\"\\n\"}}",
		"{\"program\":\"x\",\"id\":1.5}",
		"{\"program\":\"x\",\"id\":\"\xc3\xa4\"}",
		"{\"program\":\"x\",\"id\":\"\x7f\"}",
		"{\"program\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		RequestPlain plain;

		ck_assert_msg(!read_plain(texts[i], &plain), "%s", texts[i]);
		ck_assert_ptr_null(plain.request.id_text);
	}
}
END_TEST

START_TEST(a_pool_of_too_many_members_is_left_to_the_tree)
{
	for (unsigned n = REQUEST_PLAIN_POOL_MAX - 1; n < REQUEST_PLAIN_POOL_MAX + 2; n++) {
		_cleanup_buffer_ Buffer text = { 0 };
		RequestPlain plain;

		buffer_text(&text, "{\"program\":\"x\",\"data_pool\":{");
		for (unsigned i = 0; i < n; i++)
			buffer_format(&text, "%s\"m%u\":%u", i ? "," : "", i, i);
		buffer_text(&text, "}}");
		ck_assert_int_eq(request_read_plain((char *)text.data, text.size, &plain), n < REQUEST_PLAIN_POOL_MAX);
	}
}
END_TEST

CHECK_MAIN(request_plain, a_plain_request_says_what_its_tree_says, what_is_not_plain_is_left_to_the_tree,
	   a_pool_of_too_many_members_is_left_to_the_tree)
