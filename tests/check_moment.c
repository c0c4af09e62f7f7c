/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/moment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "tests/check_main.h"

#define SECOND 1000000ULL
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NOW (1764000000ULL * SECOND + 250000) /* Mon 2025-11-24 16:00:00.25 UTC */
#define MIDNIGHT (1763942400ULL * SECOND)

typedef struct Case {
	const char *text;
	uint64_t usec; /* 0: it is refused */
} Case;

static void in_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

static void check_cases(const Case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t usec = 0;
		int r = moment_parse(cases[i].text, NOW, &usec);

		ck_assert_msg(r == (cases[i].usec ? 0 : -EINVAL), "\"%s\": got %d", cases[i].text, r);
		ck_assert_msg(usec == cases[i].usec, "\"%s\": expected %" PRIu64 ", got %" PRIu64, cases[i].text,
			      cases[i].usec, usec);
	}
}

START_TEST(a_span_is_that_long_ago)
{
	static const Case cases[] = {
		{ "1h", NOW - HOUR },
		{ "2h ago", NOW - 2 * HOUR },
		{ "-90s", NOW - 90 * SECOND },
		{ "-1h30min", NOW - HOUR - 1800 * SECOND },
		{ "1h 30 min ago", NOW - HOUR - 1800 * SECOND },
		{ "5", NOW - 5 * SECOND },
		{ "1.5s", NOW - 1500000 },
		{ "500ms", NOW - 500000 },
		{ "2 weeks ago", NOW - 14 * DAY },
		{ "3 days", NOW - 3 * DAY },
		{ "1M", NOW - 2629800 * SECOND },
		{ "1m", NOW - 60 * SECOND },
		{ "1year", NOW - 31557600 * SECOND },
	};

	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(what_is_still_to_come_is_a_moment_too)
{
	static const Case cases[] = { { "+1h", NOW + HOUR }, { "1h left", NOW + HOUR }, { "now", NOW } };

	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(an_at_sign_is_followed_by_seconds_of_the_epoch)
{
	static const Case cases[] = {
		{ "@1764000000", NOW - 250000 }, { "@1764000000.25", NOW }, { "@", 0 }, { "@1h", 0 }, { "@-5", 0 },
		{ "@99999999999999999999", 0 }
	};

	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(days_begin_at_midnight)
{
	static const Case cases[] = { { "today", MIDNIGHT },
				      { "yesterday", MIDNIGHT - DAY },
				      { "tomorrow", MIDNIGHT + DAY },
				      { "2025-11-24", MIDNIGHT },
				      { "2025-11-23", MIDNIGHT - DAY } };

	in_zone("UTC");
	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(a_date_and_a_time_of_day_are_a_moment)
{
	static const Case cases[] = { { "2025-11-24 10:00", MIDNIGHT + 10 * HOUR },
				      { "2025-11-24 10:00:30", MIDNIGHT + 10 * HOUR + 30 * SECOND },
				      { "2025-11-24 10:00:30.5", MIDNIGHT + 10 * HOUR + 30500000 },
				      { "2025-11-24T10:00", MIDNIGHT + 10 * HOUR },
				      { "Mon 2025-11-24 10:00:00", MIDNIGHT + 10 * HOUR },
				      { "10:00", MIDNIGHT + 10 * HOUR },
				      { "10:00:05", MIDNIGHT + 10 * HOUR + 5 * SECOND },
				      { " 10:00", MIDNIGHT + 10 * HOUR } };

	in_zone("UTC");
	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(a_moment_is_local_unless_it_says_utc)
{
	static const Case cases[] = { { "2025-11-24 10:00", MIDNIGHT + 8 * HOUR },
				      { "2025-11-24 10:00 UTC", MIDNIGHT + 10 * HOUR },
				      { "today", MIDNIGHT - 2 * HOUR },
				      { "today UTC", MIDNIGHT } };

	in_zone("XYZ-2");
	check_cases(cases, ELEMENTSOF(cases));
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const words[] = {
		"",
		" ",
		"soon",
		"1x",
		"ago",
		"-",
		"h",
		"1h later",
		"2025-13-01",
		"2025-02-30",
		"25:00",
		"2025-11-24 10",
		"1h ago ago",
		"0x10",
		"nan",
		"inf",
		"1e999",
		"-1h ago UTC",
		"99999999999y",
		"2025-11-24 10:00:00.",
		"10:00 Mon",
	};
	char much[200];

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		check_cases(&(Case){ words[i], 0 }, 1);
	memset(much, '1', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	check_cases(&(Case){ much, 0 }, 1);
}
END_TEST

CHECK_MAIN(moment, a_span_is_that_long_ago, what_is_still_to_come_is_a_moment_too,
	   an_at_sign_is_followed_by_seconds_of_the_epoch, days_begin_at_midnight,
	   a_date_and_a_time_of_day_are_a_moment, a_moment_is_local_unless_it_says_utc, anything_else_is_refused)
