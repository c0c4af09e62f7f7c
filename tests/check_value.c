/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/value.h"

static const char *const texts[] = {
	"\"\"",
	"\"héllo\\n\"",
	"0",
	"-1",
	"9223372036854775807",
	"-9223372036854775808",
	"0.0",
	"-0.0",
	"1.5",
	"1e300",
	"[]",
	"{}",
	"[1,\"a\",null,[2.5],{}]",
	"{\"a\":{\"b\":[true]},\"c\":null}",
	"true",
	"false",
};

static Value value_of(const char *text)
{
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;
	Value value = { 0 };

	ck_assert_int_eq(json_parse(text, strlen(text), 32, &json, &error), 0);
	ck_assert_int_eq(value_from_json(json, &value), 0);
	return value;
}

START_TEST(types_have_the_names_that_specs_use)
{
	static const char *const names[] = { "string", "int", "float", "list", "dict", "bool" };

	for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
		ck_assert_int_eq(value_type_from_name(names[i]), VALUE_STRING + i);
		ck_assert_str_eq(value_type_name((ValueType)(VALUE_STRING + i)), names[i]);
	}
	ck_assert_int_eq(value_type_from_name("none"), VALUE_NONE);
	ck_assert_int_eq(value_type_from_name("number"), VALUE_NONE);
	ck_assert_str_eq(value_type_name(VALUE_NONE), "none");
	ck_assert_str_eq(value_type_name(VALUE_TYPE_MAX), "none");
}
END_TEST

START_TEST(an_int_fits_a_float_and_nothing_else_is_converted)
{
	for (unsigned asked = VALUE_NONE; asked < VALUE_TYPE_MAX; asked++)
		for (unsigned got = VALUE_NONE; got < VALUE_TYPE_MAX; got++)
			ck_assert_int_eq(value_type_fits((ValueType)asked, (ValueType)got),
					 got != VALUE_NONE &&
						 (asked == got || (asked == VALUE_FLOAT && got == VALUE_INT)));
}
END_TEST

START_TEST(a_value_of_json_has_the_type_of_the_json)
{
	static const ValueType types[] = {
		VALUE_STRING, VALUE_STRING, VALUE_INT,  VALUE_INT,  VALUE_INT,  VALUE_INT,  VALUE_FLOAT, VALUE_FLOAT,
		VALUE_FLOAT,  VALUE_FLOAT,  VALUE_LIST, VALUE_DICT, VALUE_LIST, VALUE_DICT, VALUE_BOOL,  VALUE_BOOL,
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_value_ Value value = value_of(texts[i]);

		ck_assert_msg(value.type == types[i], "%s", texts[i]);
	}
}
END_TEST

START_TEST(a_value_survives_json_and_bytes)
{
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_value_ Value value = value_of(texts[i]), from_json = { 0 }, decoded = { 0 };
		_cleanup_json_ struct json_object *json = value_to_json(&value);
		_cleanup_buffer_ Buffer buffer = { 0 };
		Reader reader;

		ck_assert_int_eq(value_from_json(json, &from_json), 0);
		ck_assert(value_equal(&value, &from_json));
		value_encode(&value, &buffer);
		ck_assert_uint_eq(buffer.size, value_size(&value));
		reader = reader_make(buffer.data, buffer.size);
		ck_assert_int_eq(value_decode(&reader, &decoded), 0);
		ck_assert_uint_eq(reader_left(&reader), 0);
		ck_assert_msg(value_equal(&value, &decoded), "%s", texts[i]);
	}
}
END_TEST

START_TEST(a_value_is_written_as_the_json_it_stands_for)
{
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_value_ Value value = value_of(texts[i]);
		_cleanup_json_ struct json_object *json = value_to_json(&value);
		_cleanup_buffer_ Buffer ours = { 0 }, theirs = { 0 };

		value_write(&value, &ours);
		json_write(json, &theirs);
		ck_assert_uint_eq(ours.size, theirs.size);
		ck_assert_mem_eq(ours.data, theirs.data, ours.size);
	}
}
END_TEST

START_TEST(values_differ_unless_type_and_content_agree)
{
	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		for (size_t j = 0; j < ELEMENTSOF(texts); j++) {
			_cleanup_value_ Value a = value_of(texts[i]), b = value_of(texts[j]);
			bool zeroes = a.type == VALUE_FLOAT && b.type == VALUE_FLOAT && a.real == 0 && b.real == 0;

			ck_assert_msg(value_equal(&a, &b) == (i == j || zeroes), "%s, %s", texts[i], texts[j]);
		}
}
END_TEST

START_TEST(a_copy_outlives_its_original)
{
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		Value value = value_of(texts[i]);
		_cleanup_value_ Value copy = { 0 }, again = value_of(texts[i]);

		ck_assert_int_eq(value_copy(&value, &copy), 0);
		value_done(&value);
		ck_assert_int_eq(value.type, VALUE_NONE);
		ck_assert(value_equal(&copy, &again));
	}
}
END_TEST

START_TEST(text_that_is_not_utf_8_or_holds_a_nul_is_no_value)
{
	Value value = { .type = VALUE_INT, .integer = 7 };

	ck_assert_int_eq(value_from_text("\xff", 1, &value), -EINVAL);
	ck_assert_int_eq(value_from_text("a\0b", 3, &value), -EINVAL);
	ck_assert_int_eq(value.integer, 7);
	ck_assert_int_eq(value_from_text("ab", 2, &value), 0);
	ck_assert_str_eq(value.string.data, "ab");
	value_done(&value);
}
END_TEST

START_TEST(json_that_no_pool_may_hold_is_refused)
{
	struct json_object *bad[] = {
		NULL,
		json_object_new_double(NAN),
		json_object_new_double(-INFINITY),
		json_object_new_uint64((uint64_t)INT64_MAX + 1),
		json_object_new_string_len("a\0b", 3),
		json_object_new_string("\xc3\x28"),
		json_object_new_array(),
		json_object_new_object(),
	};
	Value value = { 0 };

	json_object_array_add(bad[6], json_object_new_double(NAN));
	json_object_object_add(bad[7], "a", json_object_new_string("\xff"));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		ck_assert_msg(value_from_json(bad[i], &value) == -EINVAL, "%zu", i);
		json_object_put(bad[i]);
	}
}
END_TEST

START_TEST(bytes_that_are_no_value_are_refused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = {
		{ "", 0 },
		{ "\0", 1 },
		{ "\7", 1 },
		{ "\1", 1 },
		{ "\1\2\0\0\0a", 6 },
		{ "\1\1\0\0\0\xff", 6 },
		{ "\1\1\0\0\0\0", 6 },
		{ "\2\0\0\0", 4 },
		{ "\3\0\0\0\0\0\0\xf0\x7f", 9 },
		{ "\3\0", 2 },
		{ "\6", 1 },
		{ "\6\2", 2 },
		{ "\4\2\0\0\0{}", 7 },
		{ "\5\2\0\0\0[]", 7 },
		{ "\4\1\0\0\0[", 6 },
		{ "\4\4\0\0\0null", 9 },
		{ "\4\0\0\0\0", 5 },
	};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		Reader reader = reader_make(bad[i].bytes, bad[i].size);
		Value value = { 0 };

		ck_assert_msg(value_decode(&reader, &value) == -EBADMSG, "%zu", i);
		ck_assert_int_eq(value.type, VALUE_NONE);
	}
}
END_TEST

START_TEST(every_cut_of_an_encoded_value_is_noticed)
{
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_value_ Value value = value_of(texts[i]);
		_cleanup_buffer_ Buffer buffer = { 0 };

		value_encode(&value, &buffer);
		for (size_t size = 0; size < buffer.size; size++) {
			Reader reader = reader_make(buffer.data, size);
			Value cut = { 0 };

			ck_assert_int_eq(value_decode(&reader, &cut), -EBADMSG);
			ck_assert_int_eq(cut.type, VALUE_NONE);
		}
	}
}
END_TEST

CHECK_MAIN(value, types_have_the_names_that_specs_use, an_int_fits_a_float_and_nothing_else_is_converted,
	   a_value_of_json_has_the_type_of_the_json, a_value_survives_json_and_bytes,
	   a_value_is_written_as_the_json_it_stands_for, values_differ_unless_type_and_content_agree,
	   a_copy_outlives_its_original, text_that_is_not_utf_8_or_holds_a_nul_is_no_value,
	   json_that_no_pool_may_hold_is_refused, bytes_that_are_no_value_are_refused,
	   every_cut_of_an_encoded_value_is_noticed)
