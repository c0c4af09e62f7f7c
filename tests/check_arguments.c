/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/arguments.h"
#include "run/pool.h"
#include "tests/check_main.h"

static SpecArg items[] = {
	{ .name = (char *)"from", .type = VALUE_STRING, .required = true },
	{ .name = (char *)"amount", .type = VALUE_FLOAT, .required = true },
	{ .name = (char *)"limit",
	  .type = VALUE_INT,
	  .required = true,
	  .has_default = true,
	  .fallback = { .type = VALUE_INT, .integer = 9 } },
	{ .name = (char *)"tags", .type = VALUE_LIST },
};
static const SpecProgram program = {
	.name = (char *)"transfer",
	.args = { .items = items, .n = ELEMENTSOF(items), .declared = true },
};

static struct json_object *json(const char *text)
{
	struct json_object *tree;
	JsonError error;

	if (!text)
		return NULL;
	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_DEFAULT, &tree, &error), 0);
	return tree;
}

static int encode(const char *data, const char *metadata, Buffer *buffer, Error *error)
{
	_cleanup_json_ struct json_object *data_json = json(data);
	_cleanup_json_ struct json_object *metadata_json = json(metadata);

	return arguments_encode(&program, data_json, metadata_json, buffer, error);
}

/* By way of its members; -1 where they are not plain. */
static int encode_flat(const char *data, Buffer *buffer)
{
	JsonMember members[16];
	JsonFlat flat;
	size_t n = 0;
	int r;

	ck_assert_int_eq(json_flat_init(&flat, data, strlen(data)), 0);
	while ((r = json_flat_next(&flat, &members[n])) > 0 && members[n].type != VALUE_DICT)
		ck_assert_uint_lt(++n, ELEMENTSOF(members));
	return r == 0 ? arguments_encode_members(&program, members, n, buffer) : -1;
}

/* "name=JSON name=JSON", in the order of the encoding. */
static void ck_encodes(const char *data, const char *metadata, const char *expected)
{
	_cleanup_buffer_ Buffer buffer = {}, text = {};
	_cleanup_free_ char *got = NULL;
	_cleanup_error_ Error error = {};
	_cleanup_pool_ Pool *pool = NULL;
	PoolWrite *writes;
	Reader reader;
	size_t n;

	ck_assert_int_eq(encode(data, metadata, &buffer, &error), 0);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(pool_new(NULL, 0, &pool), 0);
	ck_assert_int_eq(pool_decode_writes(pool, &reader, &writes, &n), 0);
	ck_assert_uint_eq(reader_left(&reader), 0);
	for (size_t i = 0; i < n; i++) {
		_cleanup_json_ struct json_object *value = value_to_json(&writes[i].value);

		buffer_format(&text, "%s%s=", i ? " " : "", pool_key_name(pool, writes[i].key));
		json_write(value, &text);
	}
	pool_writes_free(writes, n);
	got = buffer_take_text(&text);
	ck_assert_str_eq(got, expected);
}

static void ck_refuses(const char *data, ErrorCode code, const char *path, const char *message)
{
	_cleanup_buffer_ Buffer buffer = {};
	_cleanup_error_ Error error = {};

	buffer_text(&buffer, "before");
	ck_assert_int_eq(encode(data, NULL, &buffer, &error), -EBADMSG);
	ck_assert_int_le(encode_flat(data, &buffer), 0);
	ck_assert_int_eq(error.code, code);
	ck_assert_str_eq(error.path, path);
	ck_assert_ptr_nonnull(strstr(error.message, message));
	ck_assert_uint_eq(buffer.size, strlen("before"));
}

START_TEST(arguments_are_encoded_in_the_specs_order)
{
	ck_encodes("{\"amount\":1.5,\"tags\":[1,\"x\"],\"from\":\"main\"}", NULL,
		   "from=\"main\" amount=1.5 tags=[1,\"x\"]");
}
END_TEST

START_TEST(an_int_is_accepted_where_a_float_is_asked_for_and_stays_an_int)
{
	ck_encodes("{\"from\":\"main\",\"amount\":2}", NULL, "from=\"main\" amount=2");
}
END_TEST

START_TEST(an_argument_with_a_default_may_be_absent_even_if_required)
{
	ck_encodes("{\"from\":\"a\",\"amount\":1}", NULL, "from=\"a\" amount=1");
	ck_encodes("{\"from\":\"a\",\"amount\":1,\"limit\":3}", NULL, "from=\"a\" amount=1 limit=3");
}
END_TEST

START_TEST(metadata_follows_under_names_with_an_underscore)
{
	ck_encodes("{\"from\":\"a\",\"amount\":1}", "{\"ticket\":\"T-7\",\"nested\":{\"a\":[]}}",
		   "from=\"a\" amount=1 _ticket=\"T-7\" _nested={\"a\":[]}");
}
END_TEST

START_TEST(metadata_that_is_null_or_no_identifier_is_left_out)
{
	ck_encodes("{\"from\":\"a\",\"amount\":1}", "{\"a-b\":1,\"n\":null,\"\":2,\"x\":3}",
		   "from=\"a\" amount=1 _x=3");
}
END_TEST

START_TEST(a_missing_argument_is_named_by_its_path)
{
	ck_refuses("{\"from\":\"a\"}", ERROR_MISSING_ARGUMENT, "/data_pool/amount", "(float) is required");
}
END_TEST

START_TEST(an_argument_of_another_type_is_named_with_both_types)
{
	ck_refuses("{\"from\":\"a\",\"amount\":\"5\"}", ERROR_WRONG_TYPE, "/data_pool/amount",
		   "expected float, got string");
	ck_refuses("{\"from\":\"a\",\"amount\":1,\"limit\":1.5}", ERROR_WRONG_TYPE, "/data_pool/limit",
		   "expected int, got float");
}
END_TEST

START_TEST(null_is_of_no_type)
{
	ck_refuses("{\"from\":null,\"amount\":1}", ERROR_WRONG_TYPE, "/data_pool/from", "expected string, got null");
	ck_refuses("{\"from\":\"a\",\"amount\":1,\"tags\":null}", ERROR_WRONG_TYPE, "/data_pool/tags",
		   "expected list, got null");
}
END_TEST

START_TEST(an_unknown_argument_is_refused_with_an_escaped_path)
{
	ck_refuses("{\"from\":\"a\",\"amount\":1,\"x/y~z\":1}", ERROR_UNKNOWN_ARGUMENT, "/data_pool/x~1y~0z",
		   "\"transfer\" has no such argument");
	ck_refuses("{\"from\":\"a\",\"amount\":1,\"_ticket\":1}", ERROR_UNKNOWN_ARGUMENT, "/data_pool/_ticket",
		   "no such argument");
}
END_TEST

START_TEST(arguments_are_judged_in_the_specs_order_then_unknown_members_in_the_requests)
{
	ck_refuses("{\"zzz\":1,\"amount\":\"x\"}", ERROR_MISSING_ARGUMENT, "/data_pool/from", "required");
	ck_refuses("{\"zzz\":1,\"from\":\"a\",\"amount\":\"x\"}", ERROR_WRONG_TYPE, "/data_pool/amount", "expected");
	ck_refuses("{\"zzz\":1,\"from\":\"a\",\"yyy\":1,\"amount\":1}", ERROR_UNKNOWN_ARGUMENT, "/data_pool/zzz",
		   "no such");
}
END_TEST

/* The tree's way and the members' are one. */
START_TEST(scalars_are_encoded_without_a_tree_just_the_same)
{
	static const char *const pools[] = {
		"{\"from\":\"main\",\"amount\":1.5}",
		"{ \"limit\" : -7, \"amount\":3,\"from\":\"\"}",
		"{\"amount\":-0,\"from\":\"\xc3\xa4\"}",
	};

	for (size_t i = 0; i < ELEMENTSOF(pools); i++) {
		_cleanup_buffer_ Buffer tree = {}, flat = {};
		_cleanup_error_ Error error = {};

		buffer_text(&tree, "before");
		buffer_text(&flat, "before");
		ck_assert_int_eq(encode(pools[i], NULL, &tree, &error), 0);
		ck_assert_int_eq(encode_flat(pools[i], &flat), 1);
		ck_assert_uint_eq(flat.size, tree.size);
		ck_assert_mem_eq(flat.data, tree.data, tree.size);
	}
}
END_TEST

START_TEST(members_that_are_not_acceptable_are_not_encoded)
{
	static const char *const pools[] = {
		"{}",
		"{\"from\":\"main\"}",
		"{\"from\":1,\"amount\":1}",
		"{\"from\":\"main\",\"amount\":true}",
		"{\"from\":\"main\",\"amount\":1,\"limit\":1.0}",
		"{\"from\":\"main\",\"amount\":1,\"limit\":null}",
		"{\"from\":\"main\",\"amount\":1,\"amounts\":1}",
		"{\"from\":\"main\",\"amount\":1,\"amount\":1}",
	};

	for (size_t i = 0; i < ELEMENTSOF(pools); i++) {
		_cleanup_buffer_ Buffer buffer = {};

		buffer_text(&buffer, "before");
		ck_assert_msg(encode_flat(pools[i], &buffer) == 0, "%s", pools[i]);
		ck_assert_uint_eq(buffer.size, strlen("before"));
	}
}
END_TEST

CHECK_MAIN(arguments, arguments_are_encoded_in_the_specs_order,
	   an_int_is_accepted_where_a_float_is_asked_for_and_stays_an_int,
	   an_argument_with_a_default_may_be_absent_even_if_required, metadata_follows_under_names_with_an_underscore,
	   metadata_that_is_null_or_no_identifier_is_left_out, a_missing_argument_is_named_by_its_path,
	   an_argument_of_another_type_is_named_with_both_types, null_is_of_no_type,
	   an_unknown_argument_is_refused_with_an_escaped_path,
	   arguments_are_judged_in_the_specs_order_then_unknown_members_in_the_requests,
	   scalars_are_encoded_without_a_tree_just_the_same, members_that_are_not_acceptable_are_not_encoded)
