/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "base/ids.h"

START_TEST(random_ids_differ)
{
	Id ids[64];

	for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
		ck_assert_int_eq(id_random(&ids[i]), 0);
		ck_assert(!id_is_null(&ids[i]));
		for (size_t j = 0; j < i; j++)
			ck_assert(!id_equal(&ids[i], &ids[j]));
	}
}
END_TEST

START_TEST(the_text_of_an_id_reads_back_as_the_id)
{
	char text[ID_TEXT_SIZE];
	Id id, back;

	for (size_t i = 0; i < 100; i++) {
		ck_assert_int_eq(id_random(&id), 0);
		id_format(&id, text);
		ck_assert_uint_eq(strlen(text), 32);
		ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 32);
		ck_assert_int_eq(id_parse(text, &back), 0);
		ck_assert(id_equal(&id, &back));
	}
}
END_TEST

START_TEST(text_that_is_no_id_is_refused_and_leaves_the_result_alone)
{
	static const char *const bad[] = {
		"",
		"0",
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0",
		"0123456789abcdefg123456789abcdef",
		" 123456789abcdef0123456789abcdef",
		"01234567-89ab-cdef-0123-456789ab",
	};
	Id id = { { 1 } };

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		ck_assert_int_eq(id_parse(bad[i], &id), -EINVAL);
	ck_assert_int_eq(id.bytes[0], 1);
}
END_TEST

START_TEST(upper_case_is_read_too)
{
	Id upper, lower;

	ck_assert_int_eq(id_parse("0123456789ABCDEF0123456789ABCDEF", &upper), 0);
	ck_assert_int_eq(id_parse("0123456789abcdef0123456789abcdef", &lower), 0);
	ck_assert(id_equal(&upper, &lower));
	ck_assert_int_eq(upper.bytes[7], 0xef);
}
END_TEST

START_TEST(the_null_id_is_all_zeroes)
{
	Id id = { 0 };

	ck_assert(id_is_null(&id));
	id.bytes[15] = 1;
	ck_assert(!id_is_null(&id));
}
END_TEST

/* Published vectors of FNV-1a with 128 bits. */
START_TEST(the_fingerprint_is_fnv_1a)
{
	static const char *const vectors[][2] = {
		{ "", "6c62272e07bb014262b821756295c58d" },
		{ "a", "d228cb696f1a8caf78912b704e4a8964" },
		{ "foobar", "343e1662793c64bf6f0d3597ba446f18" },
	};

	for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
		char text[ID_TEXT_SIZE];
		Id id;

		id_fingerprint(vectors[i][0], strlen(vectors[i][0]), &id);
		id_format(&id, text);
		ck_assert_str_eq(text, vectors[i][1]);
	}
}
END_TEST

START_TEST(a_derived_id_differs_in_its_last_four_bytes_only)
{
	char text[ID_TEXT_SIZE];
	Id id, part;

	ck_assert_int_eq(id_parse("00112233445566778899aabbccddeeff", &id), 0);
	part = id_derive(&id, 0);
	ck_assert(id_equal(&id, &part));
	part = id_derive(&id, 0x01020304);
	id_format(&part, text);
	ck_assert_str_eq(text, "00112233445566778899aabbcddfedfb");
}
END_TEST

START_TEST(a_derived_ids_text_comes_from_that_of_the_first)
{
	static const uint32_t parts[] = { 0, 1, 0x01020304, UINT32_MAX };
	char formatted[ID_TEXT_SIZE], expected[ID_TEXT_SIZE], text[ID_TEXT_SIZE];
	Id id, part;

	ck_assert_int_eq(id_random(&id), 0);
	id_format(&id, formatted);
	for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
		part = id_derive(&id, parts[i]);
		id_format(&part, expected);
		id_format_derived(&id, formatted, parts[i], text);
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

START_TEST(the_checksum_is_crc_32c)
{
	static const char zeroes[32];

	ck_assert_uint_eq(crc32c(0, "", 0), 0);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, zeroes, sizeof(zeroes)), 0x8a9136aa); /* RFC 3720, B.4 */
}
END_TEST

START_TEST(both_ways_to_compute_the_checksum_agree)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i + 7 * i);
	for (size_t begin = 0; begin < 9; begin++)
		for (size_t size = 0; size <= sizeof(data) - begin; size++)
			ck_assert_uint_eq(crc32c((uint32_t)size, data + begin, size),
					  crc32c_portable((uint32_t)size, data + begin, size));
}
END_TEST

START_TEST(a_checksum_goes_on_where_it_stopped)
{
	static const char digits[] = "123456789";

	for (size_t i = 0; i <= 9; i++) {
		ck_assert_uint_eq(crc32c(crc32c(0, digits, i), digits + i, 9 - i), 0xe3069283);
		ck_assert_uint_eq(crc32c_portable(crc32c_portable(0, digits, i), digits + i, 9 - i), 0xe3069283);
	}
}
END_TEST

CHECK_MAIN(ids, random_ids_differ, the_text_of_an_id_reads_back_as_the_id,
	   text_that_is_no_id_is_refused_and_leaves_the_result_alone, upper_case_is_read_too, the_null_id_is_all_zeroes,
	   the_fingerprint_is_fnv_1a, a_derived_id_differs_in_its_last_four_bytes_only,
	   a_derived_ids_text_comes_from_that_of_the_first, the_checksum_is_crc_32c,
	   both_ways_to_compute_the_checksum_agree, a_checksum_goes_on_where_it_stopped)
