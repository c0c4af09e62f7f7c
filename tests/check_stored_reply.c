/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <string.h>

#include "daemon/stored_reply.h"

static const char parked[] =
	"\"program\":\"p\",\"success\":false,\"status\":\"parked\",\"data_pool\":{\"x\":5.0},\"error\":null,"
	"\"parked\":{\"step\":7,\"hook\":\"h\",\"name\":\"RectifierFailed\",\"message\":\"no\"}}";

static struct json_object *read_text(const char *text)
{
	return stored_reply_read(text, strlen(text));
}

START_TEST(what_is_read_is_written_as_it_was)
{
	_cleanup_json_ struct json_object *tree = read_text(parked);
	_cleanup_buffer_ Buffer text = { 0 };

	ck_assert_ptr_nonnull(tree);
	ck_assert_int_eq(stored_reply_write(tree, &text), 0);
	ck_assert_uint_eq(text.size, strlen(parked));
	ck_assert_mem_eq(text.data, parked, text.size);
}
END_TEST

START_TEST(what_is_no_reply_is_none)
{
	ck_assert_ptr_null(stored_reply_read(NULL, 0));
	ck_assert_ptr_null(read_text("\"program\":"));
	ck_assert_ptr_null(read_text("}}"));
}
END_TEST

START_TEST(members_that_are_not_there_or_of_another_type_are_nothing)
{
	_cleanup_json_ struct json_object *tree = read_text(parked);

	ck_assert_str_eq(stored_text(tree, "program"), "p");
	ck_assert_ptr_null(stored_text(tree, "success"));
	ck_assert_ptr_null(stored_text(tree, "nothing"));
	ck_assert_ptr_null(stored_text(NULL, "program"));
	ck_assert_int_eq(stored_number(tree, "program"), 0);
	ck_assert_int_eq(stored_number(stored_member(tree, "parked"), "step"), 7);
	ck_assert_ptr_null(stored_member(stored_member(tree, "error"), "name"));
}
END_TEST

START_TEST(where_a_run_is_parked_is_what_its_reply_says)
{
	_cleanup_json_ struct json_object *tree = read_text(parked), *other = read_text("\"parked\":{}}");
	ErrorCode code = ERROR_DAMAGED;
	uint32_t step = 3;

	stored_reply_stand(other, &step, &code);
	ck_assert_uint_eq(step, 3);
	ck_assert_int_eq(code, ERROR_DAMAGED);
	stored_reply_stand(NULL, &step, &code);
	ck_assert_uint_eq(step, 3);
	stored_reply_stand(tree, &step, &code);
	ck_assert_uint_eq(step, 7);
	ck_assert_int_eq(code, ERROR_RECTIFIER_FAILED);
}
END_TEST

CHECK_MAIN(stored_reply, what_is_read_is_written_as_it_was, what_is_no_reply_is_none,
	   members_that_are_not_there_or_of_another_type_are_nothing, where_a_run_is_parked_is_what_its_reply_says)
