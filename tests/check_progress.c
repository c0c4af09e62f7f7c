/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/progress.h"

#include <string.h>

#include "base/json.h"
#include "tests/check_main.h"

#define SECOND 1000000ULL
#define BEGAN (100 * SECOND)

static struct json_object *json_of(const char *text)
{
	struct json_object *json = NULL;
	JsonError fault;

	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_MAX, &json, &fault), 0);
	return json;
}

static void check_line(const Progress *progress, uint64_t now, size_t width, bool utf8, const char *expected)
{
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ char *found = NULL;

	progress_write(progress, now, width, utf8, &text);
	found = buffer_take_text(&text);
	ck_assert_str_eq(found, expected);
}

static void take_event(Progress *progress, const char *text)
{
	_cleanup_json_ struct json_object *json = json_of(text);

	progress_begin(progress, BEGAN);
	ck_assert_int_eq(progress_event(progress, json, BEGAN), 0);
}

START_TEST(a_line_is_the_step_the_hook_and_the_time)
{
	Progress progress = {};

	take_event(&progress, "{\"event\":\"hook\",\"step\":2,\"steps\":5,\"hook\":\"credit\",\"attempt\":1}");
	check_line(&progress, BEGAN + 3400000, 80, true, "… 2/5 credit  3.4 s");
	check_line(&progress, BEGAN + 75 * SECOND, 80, true, "… 2/5 credit  1 min 15 s");
	check_line(&progress, BEGAN + 3400000, 80, false, "hook 2/5 credit: running (3.4 s)");
	progress_done(&progress);
}
END_TEST

START_TEST(an_arrow_turns_back_while_something_is_undone)
{
	Progress progress = {};

	take_event(&progress, "{\"event\":\"rectifier\",\"step\":1,\"steps\":5,\"hook\":\"undo_debit\",\"attempt\":3}");
	check_line(&progress, BEGAN + SECOND, 80, true, "↩ 1/5 undo_debit (attempt 3)  1.0 s");
	check_line(&progress, BEGAN + SECOND, 80, false, "rectifier 1/5 undo_debit (attempt 3): running (1.0 s)");
	progress_done(&progress);
}
END_TEST

START_TEST(what_the_daemon_says_of_a_running_run_is_shown_likewise)
{
	_cleanup_json_ struct json_object *json =
		json_of("{\"phase\":\"rectifier\",\"step\":4,\"steps\":5,\"hook\":\"fee\",\"attempt\":1}");
	_cleanup_json_ struct json_object *between = json_of("{\"step\":3,\"steps\":5}");
	Progress progress = {};

	progress_begin(&progress, BEGAN);
	ck_assert_int_eq(progress_running(&progress, json), 0);
	check_line(&progress, BEGAN + SECOND, 80, true, "↩ 4/5 fee  1.0 s");
	ck_assert_int_eq(progress_running(&progress, between), 0);
	check_line(&progress, BEGAN + SECOND, 80, true, "… 3/5  1.0 s");
	check_line(&progress, BEGAN + SECOND, 80, false, "hook 3/5: waiting (1.0 s)");
	progress_done(&progress);
}
END_TEST

START_TEST(an_event_may_come_when_its_attempt_has_lasted_for_a_while)
{
	Progress progress = {};

	take_event(&progress, "{\"event\":\"state\",\"state\":\"rectifying\",\"step\":2,\"steps\":5,\"hook\":\"fee\","
			      "\"attempt\":1,\"usec\":2000000}");
	check_line(&progress, BEGAN + SECOND, 80, true, "↩ 2/5 fee  3.0 s");
	progress_done(&progress);
}
END_TEST

START_TEST(where_nothing_is_known_nothing_is_shown)
{
	Progress progress = {};

	progress_begin(&progress, BEGAN);
	check_line(&progress, BEGAN + SECOND, 80, true, "");
	take_event(&progress, "{\"event\":\"hook\",\"step\":2,\"steps\":5,\"hook\":\"credit\",\"attempt\":1}");
	ck_assert_int_eq(progress_running(&progress, NULL), 0);
	check_line(&progress, BEGAN + SECOND, 80, true, "");
	progress_done(&progress);
}
END_TEST

START_TEST(a_line_is_no_longer_than_the_terminal_is_wide)
{
	Progress progress = {};

	take_event(&progress,
		   "{\"event\":\"hook\",\"step\":2,\"steps\":5,\"hook\":\"crédit\\u001b[2J\",\"attempt\":1}");
	check_line(&progress, BEGAN, 80, true, "… 2/5 crédit\\x1b[2J  0 us");
	check_line(&progress, BEGAN, 10, true, "… 2/5 créd");
	check_line(&progress, BEGAN, 1, true, "…");
	check_line(&progress, BEGAN, 0, true, "");
	progress_done(&progress);
}
END_TEST

CHECK_MAIN(progress, a_line_is_the_step_the_hook_and_the_time, an_arrow_turns_back_while_something_is_undone,
	   what_the_daemon_says_of_a_running_run_is_shown_likewise,
	   an_event_may_come_when_its_attempt_has_lasted_for_a_while, where_nothing_is_known_nothing_is_shown,
	   a_line_is_no_longer_than_the_terminal_is_wide)
