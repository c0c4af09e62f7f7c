/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/quantity.h"

START_TEST(sizes_are_counted_in_powers_of_1024)
{
	static const struct {
		const char *text;
		uint64_t size;
	} cases[] = {
		{ "0", 0 },           { "1023", 1023 },   { "1K", 1024 },
		{ "8M", 8U << 20 },   { "1G", 1U << 30 }, { "17179869183G", 17179869183ULL << 30 },
		{ "1T", 1ULL << 40 }, { "007K", 7168 },   { "1.5M", 3U << 19 },
		{ "0.5K", 512 },      { "512B", 512 },    { "1 K", 1024 },
	};
	uint64_t size;

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		size = 1;
		ck_assert_int_eq(quantity_size(cases[i].text, &size), 0);
		ck_assert_uint_eq(size, cases[i].size);
	}
}
END_TEST

START_TEST(what_is_no_size_is_refused_and_leaves_the_place_alone)
{
	static const char *const wrong[] = { "",   "K",  "-1",  "1k", "1.5",      "1KB", "0x10",
					     "M1", " 1", "1 0", "1Q", "infinity", "1.M", "1KK" };
	static const char *const large[] = { "18446744073709551616", "17179869184G", "99999999999999999999999999K" };
	uint64_t size = 77;

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
		ck_assert_msg(quantity_size(wrong[i], &size) == -EINVAL, "\"%s\"", wrong[i]);
	for (size_t i = 0; i < ELEMENTSOF(large); i++)
		ck_assert_msg(quantity_size(large[i], &size) == -ERANGE, "\"%s\"", large[i]);
	ck_assert_uint_eq(size, 77);
}
END_TEST

START_TEST(times_are_sums_of_terms_with_units)
{
	static const struct {
		const char *text;
		uint64_t usec;
	} cases[] = {
		{ "10", 10000000 },
		{ "10s", 10000000 },
		{ "1.5s", 1500000 },
		{ "100ms", 100000 },
		{ "250us", 250 },
		{ "5min", 300000000 },
		{ "2h", 7200000000 },
		{ "1d", 86400000000 },
		{ "1min 30s", 90000000 },
		{ "1min30s", 90000000 },
		{ "0", 0 },
		{ "0.25 ms", 250 },
		{ "1.0000009s", 1000000 },
		{ "2 s 1 ms", 2001000 },
		{ "1h 30min", 5400000000 },
		{ "2 hours 1 minute", 7260000000 },
		{ "3sec 5msec 7usec", 3005007 },
		{ "1w", 604800000000 },
		{ "2m", 120000000 },
		{ "1month", 2629800000000 },
		{ "1M", 2629800000000 },
		{ "1 year", 31557600000000 },
		{ "5 seconds", 5000000 },
		{ "4hr", 14400000000 },
		{ "8\302\265s", 8 },
		{ "0.5 days", 43200000000 },
		{ "1y", 31557600000000 },
	};
	uint64_t usec;

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		usec = 1;
		ck_assert_msg(quantity_time(cases[i].text, &usec) == 0, "\"%s\"", cases[i].text);
		ck_assert_msg(usec == cases[i].usec, "\"%s\": %" PRIu64, cases[i].text, usec);
	}
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
	static const char *const wrong[] = {
		"", "s", "-1s", "1.s", "1e3", "1mins", "s1", "1s x", "1..5s", "one", " 1s"
	};
	uint64_t usec = 77;

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
		ck_assert_msg(quantity_time(wrong[i], &usec) == -EINVAL, "\"%s\"", wrong[i]);
	ck_assert_int_eq(quantity_time("18446744073709551615d", &usec), -ERANGE);
	ck_assert_int_eq(quantity_time("99999999999999999999", &usec), -ERANGE);
	ck_assert_int_eq(quantity_time("18446744073709s 18446744073709s", &usec), -ERANGE);
	ck_assert_uint_eq(usec, 77);
}
END_TEST

START_TEST(what_is_written_reads_back_the_same)
{
	static const uint64_t numbers[] = { 1, 999, 1000, 1024, 1500000, 60000000, 86400000000, 8U << 20, 1U << 30, 3 };

	for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
		_cleanup_buffer_ Buffer size = { 0 }, time = { 0 };
		_cleanup_free_ char *size_text = NULL, *time_text = NULL;
		uint64_t found = 0;

		quantity_format_size(numbers[i], &size);
		quantity_format_time(numbers[i], &time);
		size_text = buffer_take_text(&size);
		time_text = buffer_take_text(&time);
		ck_assert_int_eq(quantity_size(size_text, &found), 0);
		ck_assert_uint_eq(found, numbers[i]);
		ck_assert_int_eq(quantity_time(time_text, &found), 0);
		ck_assert_uint_eq(found, numbers[i]);
	}
}
END_TEST

CHECK_MAIN(quantity, sizes_are_counted_in_powers_of_1024, what_is_no_size_is_refused_and_leaves_the_place_alone,
	   times_are_sums_of_terms_with_units, what_is_no_time_is_refused, what_is_written_reads_back_the_same)
