/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run/pool.h"
#include "tests/check_main.h"

static const char *const keys[] = { "a", "b", "c" };

static Pool *fresh(void)
{
	Pool *pool;

	ck_assert_int_eq(pool_new(keys, ELEMENTSOF(keys), &pool), 0);
	return pool;
}

static void put(Pool *pool, uint32_t key, int64_t number)
{
	Value value = { .type = VALUE_INT, .integer = number };

	ck_assert_int_eq(pool_set(pool, key, &value), 0);
}

static void put_text(Pool *pool, uint32_t key, const char *text)
{
	Value value;

	ck_assert_int_eq(value_from_text(text, strlen(text), &value), 0);
	ck_assert_int_eq(pool_set(pool, key, &value), 0);
	value_done(&value);
}

#define ck_holds(pool, key, number)                                     \
	do {                                                            \
		ck_assert_ptr_nonnull(pool_get(pool, key));             \
		ck_assert_int_eq(pool_get(pool, key)->type, VALUE_INT); \
		ck_assert_int_eq(pool_get(pool, key)->integer, number); \
	} while (0)

START_TEST(the_plans_keys_have_the_plans_numbers)
{
	_cleanup_pool_ Pool *pool = fresh();

	ck_assert_uint_eq(pool_find(pool, "a"), 0);
	ck_assert_uint_eq(pool_find(pool, "c"), 2);
	ck_assert_uint_eq(pool_find(pool, "d"), UINT32_MAX);
	ck_assert_str_eq(pool_key_name(pool, 1), "b");
	ck_assert_uint_eq(pool_n_keys(pool), 3);
}
END_TEST

START_TEST(a_new_name_gets_a_number_once)
{
	_cleanup_pool_ Pool *pool = fresh();
	uint32_t first, again;

	ck_assert_int_eq(pool_intern(pool, "new", &first), 0);
	ck_assert_int_eq(pool_intern(pool, "new", &again), 0);
	ck_assert_uint_eq(first, 3);
	ck_assert_uint_eq(again, 3);
	ck_assert_int_eq(pool_intern(pool, "b", &again), 0);
	ck_assert_uint_eq(again, 1);
	ck_assert_uint_eq(pool_find(pool, "new"), 3);
}
END_TEST

START_TEST(names_are_found_when_there_are_many_of_them)
{
	_cleanup_pool_ Pool *pool = fresh();
	char name[16];
	uint32_t key;

	for (uint32_t i = 3; i < 5000; i++) {
		snprintf(name, sizeof(name), "key%u", i);
		ck_assert_int_eq(pool_intern(pool, name, &key), 0);
		ck_assert_uint_eq(key, i);
	}
	for (uint32_t i = 3; i < 5000; i++) {
		snprintf(name, sizeof(name), "key%u", i);
		ck_assert_uint_eq(pool_find(pool, name), i);
	}
	ck_assert_uint_eq(pool_find(pool, "b"), 1);
	ck_assert_uint_eq(pool_find(pool, "key5000"), UINT32_MAX);
}
END_TEST

START_TEST(there_are_only_so_many_names)
{
	_cleanup_pool_ Pool *pool = fresh();
	char name[16];
	uint32_t key;

	for (uint32_t i = 3; i < POOL_KEYS_MAX; i++) {
		snprintf(name, sizeof(name), "key%u", i);
		ck_assert_int_eq(pool_intern(pool, name, &key), 0);
	}
	ck_assert_int_eq(pool_intern(pool, "one more", &key), -E2BIG);
	ck_assert_int_eq(pool_intern(pool, "a", &key), 0);
}
END_TEST

START_TEST(what_was_set_is_there_and_is_a_copy)
{
	_cleanup_pool_ Pool *pool = fresh();

	ck_assert_ptr_null(pool_get(pool, 0));
	put_text(pool, 0, "first");
	ck_assert_str_eq(pool_get(pool, 0)->string.data, "first");
	put_text(pool, 0, "second");
	ck_assert_str_eq(pool_get(pool, 0)->string.data, "second");
	ck_assert_ptr_null(pool_get(pool, 1));
	ck_assert_ptr_null(pool_get(pool, 99));
}
END_TEST

START_TEST(a_key_without_a_number_is_refused)
{
	_cleanup_pool_ Pool *pool = fresh();
	Value value = { .type = VALUE_BOOL, .boolean = true };

	ck_assert_int_eq(pool_set(pool, 3, &value), -EINVAL);
}
END_TEST

START_TEST(rewinding_undoes_the_writes_since_the_mark)
{
	_cleanup_pool_ Pool *pool = fresh();
	size_t start, middle;

	put(pool, 0, 1);
	start = pool_mark(pool);
	put(pool, 0, 2);
	put_text(pool, 1, "x");
	middle = pool_mark(pool);
	put(pool, 0, 3);
	put(pool, 0, 4);
	put(pool, 2, 5);

	pool_rewind(pool, middle);
	ck_holds(pool, 0, 2);
	ck_assert_str_eq(pool_get(pool, 1)->string.data, "x");
	ck_assert_ptr_null(pool_get(pool, 2));

	pool_rewind(pool, start);
	ck_holds(pool, 0, 1);
	ck_assert_ptr_null(pool_get(pool, 1));
}
END_TEST

START_TEST(the_overlay_lies_above_the_base_and_is_not_rewound)
{
	_cleanup_pool_ Pool *pool = fresh();
	size_t mark = pool_mark(pool);

	put(pool, 0, 1);
	put(pool, 1, 2);
	pool_open_overlay(pool);
	put(pool, 1, 20);
	put(pool, 2, 30);
	ck_holds(pool, 0, 1);
	ck_holds(pool, 1, 20);

	pool_rewind(pool, mark);
	ck_assert_ptr_null(pool_get(pool, 0));
	ck_holds(pool, 1, 20);
	ck_holds(pool, 2, 30);
	put(pool, 1, 21);
	ck_holds(pool, 1, 21);
}
END_TEST

START_TEST(the_size_is_that_of_what_is_visible)
{
	_cleanup_pool_ Pool *pool = fresh();
	size_t empty = pool_size(pool), one, two;

	ck_assert_uint_eq(empty, 0);
	put_text(pool, 0, "0123456789");
	one = pool_size(pool);
	ck_assert_uint_gt(one, 10);
	put_text(pool, 0, "01234567890123456789");
	ck_assert_uint_eq(pool_size(pool), one + 10);
	put(pool, 1, 1);
	two = pool_size(pool);

	pool_open_overlay(pool);
	ck_assert_uint_eq(pool_overlay_size(pool), 0);
	put_text(pool, 0, "0123456789");
	ck_assert_uint_eq(pool_size(pool), two - 10);
	ck_assert_uint_eq(pool_overlay_size(pool), one);
	pool_rewind(pool, 0);
	ck_assert_uint_eq(pool_size(pool), one);
}
END_TEST

START_TEST(the_size_is_what_the_encoding_takes)
{
	_cleanup_pool_ Pool *pool = fresh();
	_cleanup_buffer_ Buffer buffer = {};
	PoolWrite writes[2] = {
		{ .key = 0, .value = { .type = VALUE_INT, .integer = 7 } },
		{ .key = 2, .value = { .type = VALUE_BOOL, .boolean = true } },
	};

	for (size_t i = 0; i < ELEMENTSOF(writes); i++)
		ck_assert_int_eq(pool_set(pool, writes[i].key, &writes[i].value), 0);
	pool_encode_writes(pool, writes, ELEMENTSOF(writes), &buffer);
	ck_assert_uint_eq(pool_size(pool) + sizeof(uint32_t), buffer.size);
}
END_TEST

static void encode(Buffer *buffer)
{
	_cleanup_pool_ Pool *pool = fresh();
	uint32_t extra;
	PoolWrite writes[3] = {
		{ .key = 1, .value = { .type = VALUE_INT, .integer = -5 } },
		{ .key = 1, .value = { .type = VALUE_FLOAT, .real = 0.5 } },
	};

	ck_assert_int_eq(pool_intern(pool, "_ticket", &extra), 0);
	writes[2].key = extra;
	ck_assert_int_eq(value_from_text("T-7", 3, &writes[2].value), 0);
	pool_encode_writes(pool, writes, ELEMENTSOF(writes), buffer);
	value_done(&writes[2].value);
	ck_assert_int_eq(buffer_error(buffer), 0);
}

START_TEST(writes_come_back_as_they_were_encoded_by_name)
{
	static const char *const other_keys[] = { "z", "b" };
	_cleanup_buffer_ Buffer buffer = {};
	_cleanup_pool_ Pool *pool = NULL;
	PoolWrite *writes;
	Reader reader;
	size_t n;

	encode(&buffer);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(pool_new(other_keys, ELEMENTSOF(other_keys), &pool), 0);
	ck_assert_int_eq(pool_decode_writes(pool, &reader, &writes, &n), 0);
	ck_assert_uint_eq(reader_left(&reader), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(writes[0].key, 1);
	ck_assert_int_eq(writes[0].value.integer, -5);
	ck_assert_int_eq(writes[1].value.type, VALUE_FLOAT);
	ck_assert_str_eq(pool_key_name(pool, writes[2].key), "_ticket");
	ck_assert_str_eq(writes[2].value.string.data, "T-7");
	pool_writes_free(writes, n);
}
END_TEST

START_TEST(writes_that_are_put_as_they_are_read_are_in_the_pool)
{
	static const char *const other_keys[] = { "z", "b" };
	_cleanup_buffer_ Buffer buffer = {};
	_cleanup_pool_ Pool *pool = NULL;
	Reader reader;

	encode(&buffer);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(pool_new(other_keys, ELEMENTSOF(other_keys), &pool), 0);
	ck_assert_int_eq(pool_decode(pool, &reader), 0);
	ck_assert_uint_eq(reader_left(&reader), 0);
	ck_assert_ptr_null(pool_get(pool, 0));
	ck_assert_int_eq(pool_get(pool, 1)->type, VALUE_FLOAT);
	ck_assert_str_eq(pool_get(pool, pool_find(pool, "_ticket"))->string.data, "T-7");
}
END_TEST

START_TEST(writes_cut_off_anywhere_do_not_decode)
{
	_cleanup_buffer_ Buffer buffer = {};
	PoolWrite *writes;
	size_t n;

	encode(&buffer);
	for (size_t size = 0; size < buffer.size; size++) {
		_cleanup_pool_ Pool *pool = fresh();
		Reader reader = reader_make(buffer.data, size);

		ck_assert_int_eq(pool_decode_writes(pool, &reader, &writes, &n), -EBADMSG);
		reader = reader_make(buffer.data, size);
		ck_assert_int_eq(pool_decode(pool, &reader), -EBADMSG);
	}
}
END_TEST

START_TEST(a_wild_count_does_not_decode)
{
	_cleanup_pool_ Pool *pool = fresh();
	_cleanup_buffer_ Buffer buffer = {};
	PoolWrite *writes;
	Reader reader;
	size_t n;

	buffer_u32(&buffer, UINT32_MAX);
	buffer_u64(&buffer, 0);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(pool_decode_writes(pool, &reader, &writes, &n), -EBADMSG);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(pool_decode(pool, &reader), -EBADMSG);
}
END_TEST

CHECK_MAIN(pool, the_plans_keys_have_the_plans_numbers, a_new_name_gets_a_number_once,
	   names_are_found_when_there_are_many_of_them, there_are_only_so_many_names,
	   what_was_set_is_there_and_is_a_copy, a_key_without_a_number_is_refused,
	   rewinding_undoes_the_writes_since_the_mark, the_overlay_lies_above_the_base_and_is_not_rewound,
	   the_size_is_that_of_what_is_visible, the_size_is_what_the_encoding_takes,
	   writes_come_back_as_they_were_encoded_by_name, writes_that_are_put_as_they_are_read_are_in_the_pool,
	   writes_cut_off_anywhere_do_not_decode, a_wild_count_does_not_decode)
