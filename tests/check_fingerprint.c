/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include "base/ids.h"
#include "daemon/fingerprint.h"
#include "wire/frame.h"

static Id fingerprint(const char *text)
{
	_cleanup_error_ Error error = { 0 };
	Request request = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;
	Id id;

	frame_init(&frame, 4096, 32);
	ck_assert_int_eq(frame_append(&frame, text, strlen(text)), 0);
	ck_assert_int_eq(frame_next(&frame, &object, &size, &members, &error), 1);
	ck_assert_int_eq(request_parse(object, size, members, &request, &error), 0);
	ck_assert_int_eq(fingerprint_request(&request, &id), 0);
	request_done(&request);
	frame_done(&frame);
	return id;
}

static bool same(const char *a, const char *b)
{
	const Id first = fingerprint(a), second = fingerprint(b);

	return id_equal(&first, &second);
}

START_TEST(member_order_white_space_and_escapes_do_not_matter)
{
	ck_assert(same("{\"program\":\"p\",\"data_pool\":{\"a\":1,\"b\":{\"x\":[1,{\"k\":1,\"l\":2}],\"y\":null}}}",
		       "{ \"data_pool\": {\"b\":{\"y\" : null, \"x\":[1, {\"l\":2,\"k\":1}]} ,\"\\u0061\":1}, \n"
		       "\"program\":\"\\u0070\" }"));
}
END_TEST

START_TEST(what_is_not_part_of_the_body_does_not_matter)
{
	ck_assert(same("{\"program\":\"p\",\"request_id\":\"r\"}",
		       "{\"program\":\"p\",\"request_id\":\"s\",\"id\":7,\"wait\":false,\"follow\":true,"
		       "\"start_within\":3,\"data_pool\":{},\"metadata\":{}}"));
}
END_TEST

START_TEST(each_part_of_the_body_does)
{
	static const char *const texts[] = {
		"{\"program\":\"p\"}",
		"{\"program\":\"q\"}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":1}}",
		"{\"program\":\"p\",\"metadata\":{\"a\":1}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":2}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":1.0}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":\"1\"}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[1]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[1,1]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[[1],1]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[[1,1]]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[2,1]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[1,2]}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":null}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":false}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":{}}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":{\"b\":1},\"c\":2}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":{\"b\":1,\"c\":2}}}",
		"{\"program\":\"p\",\"data_pool\":{\"b\":1}}",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		for (size_t k = 0; k < ELEMENTSOF(texts); k++)
			ck_assert_msg(same(texts[i], texts[k]) == (i == k), "%s and %s", texts[i], texts[k]);
}
END_TEST

CHECK_MAIN(fingerprint, member_order_white_space_and_escapes_do_not_matter,
	   what_is_not_part_of_the_body_does_not_matter, each_part_of_the_body_does)
