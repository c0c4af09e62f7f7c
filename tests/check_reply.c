/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <string.h>

#include "base/json.h"
#include "wire/reply.h"

/* What was written is strict JSON, `expected` exactly, and (where it is a whole line) ends with its only newline. */
static void expect(Buffer *buffer, const char *expected)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_free_ char *text = buffer_take_text(buffer);
	JsonError error;
	int r;

	ck_assert_str_eq(text, expected);
	r = json_parse(text, strlen(text), 32, &json, &error);
	ck_assert_msg(r == 0, "%s: %s", text, error.message);
	if (strchr(text, '\n'))
		ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}

static void expect_body(const Reply *reply, const char *expected)
{
	Buffer buffer = { 0 };

	buffer_text(&buffer, "{");
	reply_write_body(reply, &buffer);
	expect(&buffer, expected);
}

START_TEST(a_reply_is_head_and_body)
{
	Value balance = { .type = VALUE_INT, .integer = 95 };
	Reply reply = { .program = "transfer",
			.status = "succeeded",
			.outputs = &(ReplyOutput){ "balance", &balance },
			.n_outputs = 1 };
	Buffer buffer = { 0 };

	reply_write_head("1", "0123456789abcdef0123456789abcdef", &buffer);
	reply_write_body(&reply, &buffer);
	expect(&buffer,
	       "{\"id\":1,\"run\":\"0123456789abcdef0123456789abcdef\",\"program\":\"transfer\",\"success\":true,"
	       "\"status\":\"succeeded\",\"data_pool\":{\"balance\":95},\"error\":null}");
}
END_TEST

START_TEST(a_head_without_id_or_run_says_so)
{
	Reply reply = { .program = "p", .status = "succeeded" };
	Buffer buffer = { 0 };

	reply_write_head(NULL, NULL, &buffer);
	reply_write_body(&reply, &buffer);
	expect(&buffer, "{\"run\":null,\"program\":\"p\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{},"
			"\"error\":null}");
}
END_TEST

START_TEST(the_id_is_echoed_as_it_was_given)
{
	static const char *const ids[] = { "null", "\"a\\\"b\"", "-1.5", "true" };

	for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
		Buffer found = { 0 }, expected = { 0 };
		_cleanup_free_ char *text = NULL;

		reply_write_result(ids[i], NULL, &found);
		buffer_format(&expected, "{\"id\":%s,\"result\":null}\n", ids[i]);
		text = buffer_take_text(&expected);
		expect(&found, text);
	}
}
END_TEST

START_TEST(every_type_of_output_is_written)
{
	Value values[] = {
		{ .type = VALUE_STRING, .string = { .data = "a\"\n", .size = 3 } },
		{ .type = VALUE_INT, .integer = INT64_MIN },
		{ .type = VALUE_FLOAT, .real = 5 },
		{ .type = VALUE_BOOL, .boolean = true },
		{ .type = VALUE_LIST, .json = json_object_new_array() },
		{ .type = VALUE_DICT, .json = json_object_new_object() },
	};
	static const char *const names[] = { "s", "i", "f", "b", "l", "d" };
	ReplyOutput outputs[ELEMENTSOF(values)];

	for (size_t i = 0; i < ELEMENTSOF(values); i++)
		outputs[i] = (ReplyOutput){ names[i], &values[i] };
	expect_body(&(Reply){ .program = "p", .status = "succeeded", .outputs = outputs, .n_outputs = 6 },
		    "{\"program\":\"p\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{\"s\":\"a\\\"\\n\","
		    "\"i\":-9223372036854775808,\"f\":5.0,\"b\":true,\"l\":[],\"d\":{}},\"error\":null}");
	value_done(&values[4]);
	value_done(&values[5]);
}
END_TEST

START_TEST(a_rectified_run_says_what_failed_and_what_was_undone)
{
	ReplyStep rectified[] = { { 2, "fee", true }, { 1, "debit", false } };

	expect_body(
		&(Reply){ .program = "transfer",
			  .status = "rectified",
			  .error = { .name = "HookFailed",
				     .reason = "UnknownAccount",
				     .step = 3,
				     .hook = "credit",
				     .message = "no such account: rent" },
			  .rectified = rectified,
			  .n_rectified = 2 },
		"{\"program\":\"transfer\",\"success\":false,\"status\":\"rectified\",\"data_pool\":{},\"error\":{"
		"\"name\":\"HookFailed\",\"reason\":\"UnknownAccount\",\"step\":3,\"hook\":\"credit\",\"message\":"
		"\"no such account: rent\",\"retry\":false},\"rectified\":[{\"step\":2,\"hook\":\"fee\",\"in_doubt\":true},"
		"{\"step\":1,\"hook\":\"debit\"}],\"remaining\":[]}");
}
END_TEST

START_TEST(a_parked_run_says_what_stopped_its_reversal)
{
	ReplyStep remaining[] = { { 1, "debit", false } };

	expect_body(
		&(Reply){ .program = "p",
			  .status = "parked",
			  .error = { .name = "HookTimeout", .step = 2, .hook = "slow", .message = "m" },
			  .remaining = remaining,
			  .n_remaining = 1,
			  .parked = { .name = "RectifierFailed",
				      .reason = "Closed",
				      .step = 1,
				      .hook = "undo_debit",
				      .message = "account is closed" } },
		"{\"program\":\"p\",\"success\":false,\"status\":\"parked\",\"data_pool\":{},\"error\":{\"name\":"
		"\"HookTimeout\",\"step\":2,\"hook\":\"slow\",\"message\":\"m\",\"retry\":false},\"rectified\":[],"
		"\"remaining\":[{\"step\":1,\"hook\":\"debit\"}],\"parked\":{\"name\":\"RectifierFailed\",\"reason\":"
		"\"Closed\",\"step\":1,\"hook\":\"undo_debit\",\"message\":\"account is closed\"}}");
}
END_TEST

START_TEST(only_what_can_have_a_reversal_lists_it)
{
	static const struct {
		const char *status;
		bool lists;
	} statuses[] = { { "succeeded", false }, { "rectified", true }, { "parked", true }, { "settled", true } };

	for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
		_cleanup_buffer_ Buffer buffer = { 0 };

		reply_write_body(&(Reply){ .program = "p", .status = statuses[i].status }, &buffer);
		buffer_u8(&buffer, 0);
		ck_assert_int_eq(strstr((char *)buffer.data, "\"rectified\":[],\"remaining\":[]") != NULL,
				 statuses[i].lists);
	}
}
END_TEST

START_TEST(a_check_of_a_program_has_no_hook)
{
	expect_body(
		&(Reply){ .program = "p",
			  .status = "rectified",
			  .error = { .name = "MissingOutput",
				     .path = "/total",
				     .program = "inner",
				     .message = "m",
				     .retry = true } },
		"{\"program\":\"p\",\"success\":false,\"status\":\"rectified\",\"data_pool\":{},\"error\":{\"name\":"
		"\"MissingOutput\",\"path\":\"/total\",\"hook\":null,\"program\":\"inner\",\"message\":\"m\",\"retry\":true},"
		"\"rectified\":[],\"remaining\":[]}");
}
END_TEST

START_TEST(what_an_author_wrote_cannot_break_the_line)
{
	expect_body(
		&(Reply){ .program = "p",
			  .status = "rectified",
			  .error = { .name = "HookFailed",
				     .hook = "h",
				     .reason = "a\"b",
				     .message = "x\n\x1b[31m\xff\x7f" } },
		"{\"program\":\"p\",\"success\":false,\"status\":\"rectified\",\"data_pool\":{},\"error\":{\"name\":"
		"\"HookFailed\",\"reason\":\"a\\\"b\",\"hook\":\"h\",\"message\":\"x\\n\\u001b[31m\xef\xbf\xbd\\u007f\","
		"\"retry\":false},\"rectified\":[],\"remaining\":[]}");
}
END_TEST

START_TEST(a_refusal_is_a_whole_line)
{
	_cleanup_error_ Error error = { 0 };
	Buffer buffer = { 0 };

	error_set(&error, ERROR_WRONG_TYPE, "/data_pool/amount", "expected int, got string");
	reply_write_refusal("3", "transfer", &error, &buffer);
	expect(&buffer, "{\"id\":3,\"run\":null,\"program\":\"transfer\",\"success\":false,\"status\":\"refused\","
			"\"data_pool\":{},\"error\":{\"name\":\"WrongType\",\"path\":\"/data_pool/amount\",\"message\":"
			"\"expected int, got string\",\"retry\":false}}\n");
	error_set(&error, ERROR_QUEUE_FULL, NULL, "m");
	reply_write_refusal(NULL, NULL, &error, &buffer);
	expect(&buffer, "{\"run\":null,\"program\":null,\"success\":false,\"status\":\"refused\",\"data_pool\":{},"
			"\"error\":{\"name\":\"QueueFull\",\"message\":\"m\",\"retry\":true}}\n");
}
END_TEST

START_TEST(an_error_whose_sentence_is_lost_still_has_its_name)
{
	Buffer buffer = { 0 };

	reply_write_call_error(NULL, &(Error){ .code = ERROR_NOT_ALLOWED }, &buffer);
	expect(&buffer, "{\"error\":{\"name\":\"NotAllowed\",\"message\":\"NotAllowed\",\"retry\":false}}\n");
}
END_TEST

START_TEST(a_call_is_answered_by_result_or_error)
{
	_cleanup_json_ struct json_object *result = json_object_new_object();
	_cleanup_error_ Error error = { 0 };
	Buffer buffer = { 0 };

	json_object_object_add(result, "pid", json_object_new_int(7));
	reply_write_result("\"a\"", result, &buffer);
	expect(&buffer, "{\"id\":\"a\",\"result\":{\"pid\":7}}\n");
	error_set(&error, ERROR_NO_SUCH_RUN, "/parameters/run", "no such run");
	reply_write_call_error("\"a\"", &error, &buffer);
	expect(&buffer, "{\"id\":\"a\",\"error\":{\"name\":\"NoSuchRun\",\"path\":\"/parameters/run\",\"message\":"
			"\"no such run\",\"retry\":false}}\n");
}
END_TEST

START_TEST(an_event_has_an_event_and_no_status)
{
	Buffer buffer = { 0 };

	reply_write_event("1",
			  &(ReplyEvent){ .event = "hook",
					 .run = "ab",
					 .program = "p",
					 .step = 2,
					 .steps = 5,
					 .hook = "debit",
					 .attempt = 1 },
			  &buffer);
	expect(&buffer, "{\"id\":1,\"event\":\"hook\",\"run\":\"ab\",\"program\":\"p\",\"step\":2,\"steps\":5,\"hook\":"
			"\"debit\",\"attempt\":1,\"usec\":0}\n");
	reply_write_event(NULL,
			  &(ReplyEvent){ .event = "rectifier",
					 .run = "ab",
					 .program = "p",
					 .step = 2,
					 .steps = 5,
					 .hook = "undo",
					 .attempt = 3,
					 .outcome = "failed",
					 .usec = 0,
					 .reason = "R",
					 .message = "m" },
			  &buffer);
	expect(&buffer,
	       "{\"event\":\"rectifier\",\"run\":\"ab\",\"program\":\"p\",\"step\":2,\"steps\":5,\"hook\":\"undo\","
	       "\"attempt\":3,\"outcome\":\"failed\",\"usec\":0,\"reason\":\"R\",\"message\":\"m\"}\n");
	reply_write_event(NULL, &(ReplyEvent){ .event = "begun", .run = "ab", .program = "p" }, &buffer);
	expect(&buffer, "{\"event\":\"begun\",\"run\":\"ab\",\"program\":\"p\"}\n");
	reply_write_event(NULL,
			  &(ReplyEvent){ .event = "state",
					 .run = "ab",
					 .program = "p",
					 .state = "rectifying",
					 .steps = 5,
					 .run_usec = 7,
					 .dropped = 3 },
			  &buffer);
	expect(&buffer, "{\"event\":\"state\",\"run\":\"ab\",\"program\":\"p\",\"state\":\"rectifying\",\"steps\":5,"
			"\"run_usec\":7,\"dropped\":3}\n");
}
END_TEST

CHECK_MAIN(reply, a_reply_is_head_and_body, a_head_without_id_or_run_says_so, the_id_is_echoed_as_it_was_given,
	   every_type_of_output_is_written, a_rectified_run_says_what_failed_and_what_was_undone,
	   a_parked_run_says_what_stopped_its_reversal, only_what_can_have_a_reversal_lists_it,
	   a_check_of_a_program_has_no_hook, what_an_author_wrote_cannot_break_the_line, a_refusal_is_a_whole_line,
	   an_error_whose_sentence_is_lost_still_has_its_name, a_call_is_answered_by_result_or_error,
	   an_event_has_an_event_and_no_status)
