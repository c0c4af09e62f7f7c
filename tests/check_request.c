/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <stdio.h>
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

static Request parsed(const char *text)
{
	_cleanup_error_ Error error = { 0 };
	Request request;

	ck_assert_msg(parse(text, &request, &error) == 0, "%s: %s %s", text, error.path, error.message);
	ck_assert_int_eq(error.code, ERROR_NONE);
	return request;
}

START_TEST(a_request_holds_what_was_sent)
{
	Request request = parsed("{\"program\":\"transfer\",\"data_pool\":{\"from\":\"main\",\"amount\":5},"
				 "\"metadata\":{\"ticket\":\"T-7\"},\"id\":1,\"request_id\":\"a3f1\",\"wait\":false,"
				 "\"follow\":true,\"start_within\":30}");

	ck_assert_int_eq(request.kind, REQUEST_PROGRAM);
	ck_assert_str_eq(request.name, "transfer");
	ck_assert_int_eq(json_object_object_length(request.data_pool), 2);
	ck_assert_int_eq(json_object_object_length(request.metadata), 1);
	ck_assert_str_eq(request.id_text, "1");
	ck_assert_str_eq(request.request_id, "a3f1");
	ck_assert(!request.wait);
	ck_assert(request.follow);
	ck_assert_double_eq(request.start_within, 30);
	request_done(&request);
	ck_assert_ptr_null(request.body);
}
END_TEST

START_TEST(what_is_not_sent_has_its_default)
{
	Request request = parsed("{\"program\":\"p\"}");

	ck_assert_ptr_null(request.data_pool);
	ck_assert_ptr_null(request.metadata);
	ck_assert_ptr_null(request.id_text);
	ck_assert_ptr_null(request.request_id);
	ck_assert(request.wait);
	ck_assert(!request.follow);
	ck_assert_double_lt(request.start_within, 0);
	request_done(&request);
}
END_TEST

START_TEST(metadata_of_null_is_none)
{
	Request request = parsed("{\"program\":\"p\",\"metadata\":null}");

	ck_assert_ptr_null(request.metadata);
	request_done(&request);
	request = parsed("{\"program\":\"p\",\"metadata\":{},\"data_pool\":{}}");
	ck_assert_ptr_nonnull(request.metadata);
	ck_assert_ptr_nonnull(request.data_pool);
	request_done(&request);
}
END_TEST

START_TEST(a_call_has_a_name_and_may_have_parameters)
{
	Request request = parsed("{\"call\":\"describe\",\"id\":\"x\",\"parameters\":{\"program\":\"transfer\"}}");

	ck_assert_int_eq(request.kind, REQUEST_CALL);
	ck_assert_str_eq(request.name, "describe");
	ck_assert_str_eq(request.id_text, "\"x\"");
	ck_assert_int_eq(json_object_object_length(request.parameters), 1);
	request_done(&request);
	request = parsed("{\"call\":\"ping\"}");
	ck_assert_ptr_null(request.parameters);
	ck_assert_ptr_null(request.id_text);
	request_done(&request);
}
END_TEST

START_TEST(any_plain_value_may_be_the_id)
{
	static const char *const ids[] = { "1", "-7", "1.5", "\"a\\\"é\\n\"", "\"\"", "true", "false", "null" };

	for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
		char text[100];
		Request request;

		snprintf(text, sizeof(text), "{\"id\": %s ,\"call\":\"ping\"}", ids[i]);
		request = parsed(text);
		ck_assert_str_eq(request.id_text, ids[i]);
		request_done(&request);
	}
}
END_TEST

START_TEST(start_within_takes_whole_and_broken_seconds)
{
	static const struct {
		const char *text;
		double seconds;
	} good[] = { { "0", 0 }, { "-0", 0 }, { "0.25", 0.25 }, { "1e9", 1e9 }, { "1000000000", 1e9 } };

	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		char text[100];
		Request request;

		snprintf(text, sizeof(text), "{\"program\":\"p\",\"start_within\":%s}", good[i].text);
		request = parsed(text);
		ck_assert_double_eq(request.start_within, good[i].seconds);
		request_done(&request);
	}
}
END_TEST

static const struct {
	const char *text;
	const char *path; /* NULL: none */
	const char *message;
} bad[] = {
	{ "{}", NULL, "expected a member \"program\" or \"call\", got none" },
	{ "{\"id\":1}", NULL, "expected a member \"program\" or \"call\", got none" },
	{ "{\"progam\":\"p\"}", "/progam",
	  "expected a member \"program\" or \"call\", got none; did you mean \"program\"?" },
	{ "{\"id\":1,\"cal\":\"ping\"}", "/cal",
	  "expected a member \"program\" or \"call\", got none; did you mean \"call\"?" },
	{ "{\"program\":\"p\",\"call\":\"ping\"}", "/call", "expected one of \"program\" and \"call\", got both" },
	{ "{\"method\":\"org.varlink.service.GetInfo\"}", "/method",
	  "Varlink is not spoken here; expected a member \"program\" or \"call\"" },
	{ "{\"method\":1,\"program\":\"p\"}", "/method",
	  "Varlink is not spoken here; expected a member \"program\" or \"call\"" },
	{ "{\"program\":1}", "/program", "expected string, got int" },
	{ "{\"program\":null}", "/program", "expected string, got null" },
	{ "{\"call\":{}}", "/call", "expected string, got object" },
	{ "{\"program\":\"p\",\"data_pool\":\"x\"}", "/data_pool", "expected object, got string" },
	{ "{\"program\":\"p\",\"data_pool\":null}", "/data_pool", "expected object, got null" },
	{ "{\"program\":\"p\",\"data_pool\":[]}", "/data_pool", "expected object, got array" },
	{ "{\"program\":\"p\",\"metadata\":1.5}", "/metadata", "expected object, got float" },
	{ "{\"program\":\"p\",\"metadata\":false}", "/metadata", "expected object, got bool" },
	{ "{\"call\":\"list\",\"parameters\":\"x\"}", "/parameters", "expected object, got string" },
	{ "{\"call\":\"list\",\"parameters\":null}", "/parameters", "expected object, got null" },
	{ "{\"program\":\"p\",\"id\":{}}", "/id", "expected string, number, bool or null, got object" },
	{ "{\"call\":\"ping\",\"id\":[1]}", "/id", "expected string, number, bool or null, got array" },
	{ "{\"program\":\"p\",\"request_id\":5}", "/request_id", "expected string, got int" },
	{ "{\"program\":\"p\",\"request_id\":\"\"}", "/request_id", "expected 1 to 128 bytes, got 0" },
	{ "{\"program\":\"p\",\"wait\":0}", "/wait", "expected bool, got int" },
	{ "{\"program\":\"p\",\"wait\":null}", "/wait", "expected bool, got null" },
	{ "{\"program\":\"p\",\"follow\":\"true\"}", "/follow", "expected bool, got string" },
	{ "{\"program\":\"p\",\"start_within\":\"1\"}", "/start_within", "expected number, got string" },
	{ "{\"program\":\"p\",\"start_within\":-1}", "/start_within", "expected 0 to 1000000000 seconds, got -1" },
	{ "{\"program\":\"p\",\"start_within\":-0.5}", "/start_within", "expected 0 to 1000000000 seconds, got -0.5" },
	{ "{\"program\":\"p\",\"start_within\":1000000001}", "/start_within",
	  "expected 0 to 1000000000 seconds, got 1000000001" },
	{ "{\"program\":\"p\",\"start_within\":1e300}", "/start_within",
	  "expected 0 to 1000000000 seconds, got 1e+300" },
	{ "{\"program\":\"p\",\"datapool\":{}}", "/datapool",
	  "unknown member of a request for a program; did you mean \"data_pool\"?" },
	{ "{\"program\":\"p\",\"banana\":{}}", "/banana", "unknown member of a request for a program" },
	{ "{\"program\":\"p\",\"parameters\":{}}", "/parameters", "not a member of a request for a program" },
	{ "{\"call\":\"ping\",\"data_pool\":{}}", "/data_pool", "not a member of a call" },
	{ "{\"call\":\"ping\",\"wait\":true}", "/wait", "not a member of a call" },
	{ "{\"call\":\"ping\",\"paramters\":{}}", "/paramters",
	  "unknown member of a call; did you mean \"parameters\"?" },
	{ "{\"program\":\"p\",\"a/b~c\":1}", "/a~1b~0c", "unknown member of a request for a program" },
	{ "{\"program\":\"p\",\"\":1}", "/", "unknown member of a request for a program" },
	{ "{\"program\":\"p\",\"a\\nb\":1}", "/a\\x0ab", "unknown member of a request for a program" },
};

START_TEST(an_envelope_that_is_wrong_is_a_bad_request_with_its_place)
{
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		_cleanup_error_ Error error = { 0 };
		Request request;

		ck_assert_msg(parse(bad[i].text, &request, &error) == -EBADMSG, "%s", bad[i].text);
		ck_assert_int_eq(error.code, ERROR_BAD_REQUEST);
		if (bad[i].path)
			ck_assert_pstr_eq(error.path, bad[i].path);
		else
			ck_assert_ptr_null(error.path);
		ck_assert_str_eq(error.message, bad[i].message);
		request_done(&request);
	}
}
END_TEST

START_TEST(the_first_fault_of_the_stated_order_is_answered)
{
	/* Each has the fault of the line before it removed; in the request they stand the other way round. */
	static const struct {
		const char *text, *path;
	} steps[] = {
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"data_pool\":1,\"program\":1,\"call\":2,\"method\":1,\"id\":{}}",
		  "/id" },
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"data_pool\":1,\"program\":1,\"call\":2,\"method\":1}",
		  "/method" },
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"data_pool\":1,\"program\":1,\"call\":2}", "/call" },
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"data_pool\":1,\"program\":1}", "/program" },
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"data_pool\":1,\"program\":\"p\"}", "/data_pool" },
		{ "{\"zz\":1,\"start_within\":[],\"wait\":1,\"program\":\"p\"}", "/wait" },
		{ "{\"zz\":1,\"yy\":1,\"start_within\":[],\"program\":\"p\"}", "/start_within" },
		{ "{\"zz\":1,\"yy\":1,\"program\":\"p\"}", "/zz" },
		{ "{\"yy\":1,\"program\":\"p\"}", "/yy" },
	};

	for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
		_cleanup_error_ Error error = { 0 };
		Request request;

		ck_assert_int_eq(parse(steps[i].text, &request, &error), -EBADMSG);
		ck_assert_str_eq(error.path, steps[i].path);
		request_done(&request);
	}
}
END_TEST

START_TEST(a_bad_request_still_says_whom_to_answer)
{
	_cleanup_error_ Error error = { 0 };
	Request request;

	ck_assert_int_eq(parse("{\"zz\":1,\"program\":\"transfer\",\"id\":\"q\"}", &request, &error), -EBADMSG);
	ck_assert_str_eq(request.id_text, "\"q\"");
	ck_assert_str_eq(request.name, "transfer");
	ck_assert_int_eq(request.kind, REQUEST_PROGRAM);
	request_done(&request);
	ck_assert_int_eq(parse("{\"call\":\"status\",\"id\":[]}", &request, &error), -EBADMSG);
	ck_assert_ptr_null(request.id_text);
	ck_assert_str_eq(request.name, "status");
	ck_assert_int_eq(request.kind, REQUEST_CALL);
	request_done(&request);
	ck_assert_int_eq(parse("{\"id\":5}", &request, &error), -EBADMSG);
	ck_assert_str_eq(request.id_text, "5");
	ck_assert_ptr_null(request.name);
	request_done(&request);
}
END_TEST

START_TEST(a_repeated_name_is_bad_json)
{
	static const char *const texts[] = {
		"{\"program\":\"p\",\"program\":\"q\"}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":1,\"a\":1}}",
		"{\"program\":\"p\",\"data_pool\":{\"a\":[{\"x\":1,\"\\u0078\":2}]}}",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_error_ Error error = { 0 };
		Request request;

		ck_assert_int_eq(parse(texts[i], &request, &error), -EBADMSG);
		ck_assert_int_eq(error.code, ERROR_BAD_JSON);
		ck_assert_ptr_nonnull(strstr(error.message, "is there already in the same object, at byte"));
		request_done(&request);
	}
}
END_TEST

static void expect_sized(const char *format, int size, bool fits)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *filler = calloc(1, (size_t)size + 1);
	_cleanup_error_ Error error = { 0 };
	Request request;

	memset(filler, 'x', (size_t)size);
	buffer_text(&text, "{\"program\":\"p\",");
	buffer_text(&text, format);
	buffer_text(&text, filler);
	buffer_text(&text, "\"}");
	buffer_u8(&text, 0);
	ck_assert_int_eq(parse((char *)text.data, &request, &error), fits ? 0 : -EBADMSG);
	request_done(&request);
}

START_TEST(ids_have_a_greatest_size)
{
	expect_sized("\"request_id\":\"", REQUEST_ID_MAX, true);
	expect_sized("\"request_id\":\"", REQUEST_ID_MAX + 1, false);
	expect_sized("\"id\":\"", REQUEST_ECHO_MAX - 2, true);
	expect_sized("\"id\":\"", REQUEST_ECHO_MAX - 1, false);
}
END_TEST

START_TEST(a_name_that_an_error_repeats_is_cut)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_error_ Error error = { 0 };
	Request request;

	buffer_text(&text, "{\"program\":\"p\",\"");
	for (int i = 0; i < 5000; i++)
		buffer_text(&text, "é");
	buffer_text(&text, "\":1}");
	buffer_u8(&text, 0);
	ck_assert_int_eq(parse((char *)text.data, &request, &error), -EBADMSG);
	ck_assert_uint_lt(strlen(error.path), 150);
	ck_assert_str_eq(error.path + strlen(error.path) - strlen("é…"), "é…");
	request_done(&request);
}
END_TEST

START_TEST(text_that_is_no_object_is_no_request)
{
	_cleanup_error_ Error error = { 0 };
	Request request;

	ck_assert_int_eq(parse("[1]", &request, &error), -EBADMSG);
	ck_assert_int_eq(error.code, ERROR_BAD_REQUEST);
	ck_assert_str_eq(error.message, "expected object, got array");
	request_done(&request);
	ck_assert_int_eq(parse("null", &request, &error), -EBADMSG);
	ck_assert_str_eq(error.message, "expected object, got null");
	request_done(&request);
}
END_TEST

CHECK_MAIN(request, a_request_holds_what_was_sent, what_is_not_sent_has_its_default, metadata_of_null_is_none,
	   a_call_has_a_name_and_may_have_parameters, any_plain_value_may_be_the_id,
	   start_within_takes_whole_and_broken_seconds, an_envelope_that_is_wrong_is_a_bad_request_with_its_place,
	   the_first_fault_of_the_stated_order_is_answered, a_bad_request_still_says_whom_to_answer,
	   a_repeated_name_is_bad_json, ids_have_a_greatest_size, a_name_that_an_error_repeats_is_cut,
	   text_that_is_no_object_is_no_request)
