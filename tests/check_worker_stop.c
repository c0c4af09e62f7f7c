/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ryuso-worker and those who want a run to end: a cancel, a time to begin that has passed. */
#include "check_main.h"
#include "worker_story.h"

/* What the worker makes of a wish that comes too late. */
static void declined(Host *host, int error)
{
	const RecordPage *page = record_page(&host->file);

	ck_assert_uint_eq(atomic_load(&page->wish), ERROR_NONE);
	ck_assert_int_eq((int)atomic_load(&page->declined), error);
}

START_TEST(a_run_that_is_cancelled_before_it_begins_is_not_begun)
{
	Story story = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	wish(&host, ERROR_CANCELLED);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	ck_assert(host_next(&host, &record));
	tell(&story, &record);
	ck_assert_int_eq(story.unbegun, ERROR_CANCELLED);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->wish), ERROR_NONE);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->declined), 0);
	/* The wish is none of any other run's. */
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_int_eq(host_end(&host), 0);
	not_printed(&host, "undo");
	host_done(&host);
}
END_TEST

START_TEST(a_wish_about_another_run_changes_nothing)
{
	RecordPage *page;
	Story story;
	Host host;

	play_until(&host, &story, "three", 2);
	page = record_page(&host.file);
	wish(&host, ERROR_CANCELLED);
	page->wish_run[15] ^= 1;
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_uint_eq(atomic_load(&page->wish), ERROR_CANCELLED);
	ck_assert_uint_eq(atomic_load(&page->declined), 0);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_cancel_takes_effect_when_the_running_hook_has_ended)
{
	static const char *const traces[] = { "1 -1", "1 2 -2 -1" };

	for (unsigned at = 1; at <= 2; at++) {
		Story story;
		Host host;

		play_until(&host, &story, "three", at);
		wish(&host, ERROR_CANCELLED);
		kill(host.pid, SIGCONT);
		follow(&host, &story);
		ck_assert_str_eq(story.trace, traces[at - 1]);
		ck_assert_uint_eq(story.stops, 1);
		ck_assert_int_eq(story.status, WALK_RECTIFIED);
		ck_assert_int_eq(story.error, ERROR_CANCELLED);
		/* It was heeded: that it still stands there is no second one. */
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->declined), 0);
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(a_cancel_is_declined_once_nothing_is_left_to_run)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 3);
	wish(&host, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	declined(&host, EALREADY);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_cancel_is_declined_once_an_irreversible_step_is_done)
{
	Story story;
	Host host;

	play_until(&host, &story, "final", 2);
	wish(&host, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	declined(&host, EPERM);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_cancel_is_declined_on_the_way_back_and_the_daemon_is_told)
{
	Story story;
	Host host;

	play_back(&host, &story, true);
	host_round(&host);
	ck_assert_uint_eq(host.rings, 0);
	wish(&host, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	/* The second rectifier stops the worker again: it does not ring for being idle. */
	until_stopped(&host);
	declined(&host, EALREADY);
	host_round(&host);
	ck_assert_uint_eq(host.rings, 1);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.error, ERROR_HOOK_FAILED);
	ck_assert_uint_eq(story.stops, 0);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_cancel_ends_a_wait)
{
	const RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	begin(&host);
	send_two(&host, "patient", "ok", "fail");
	while (atomic_load(&page->state) != RECORD_WAITING)
		host_round(&host);
	wish(&host, ERROR_CANCELLED);
	follow(&host, &story);
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_str_eq(story.trace, "1 2f -1");
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_was_stopped_is_taken_up_as_stopped)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 1);
	wish(&host, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	while (story.stops == 0) {
		Record record;

		ck_assert(host_next(&host, &record));
		tell(&story, &record);
	}
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	if (!story.finished)
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed");
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->declined), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_hook_that_is_killed_for_a_cancel_heeds_it)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 2);
	wish(&host, ERROR_CANCELLED);
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	go_on(&host, &story, ERROR_CANCELLED, "the run was cancelled, and the hook killed");
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	ck_assert_uint_eq(story.stops, 0);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->declined), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_whose_time_to_begin_has_passed_is_not_begun)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	RecordStart start = {
		.run = { .bytes = { 7, 1 } },
		.program = "three",
		.program_size = 5,
		.start_by_usec = 1,
	};
	Story story = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	begin(&host);
	order_encode_run(&start, &orders);
	host_send(&host, &orders);
	ck_assert(host_next(&host, &record));
	tell(&story, &record);
	ck_assert_int_eq(story.unbegun, ERROR_NOT_STARTED);
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker_stop, a_run_that_is_cancelled_before_it_begins_is_not_begun, a_wish_about_another_run_changes_nothing,
	   a_cancel_takes_effect_when_the_running_hook_has_ended, a_cancel_is_declined_once_nothing_is_left_to_run,
	   a_cancel_is_declined_once_an_irreversible_step_is_done,
	   a_cancel_is_declined_on_the_way_back_and_the_daemon_is_told, a_cancel_ends_a_wait,
	   a_run_that_was_stopped_is_taken_up_as_stopped, a_hook_that_is_killed_for_a_cancel_heeds_it,
	   a_run_whose_time_to_begin_has_passed_is_not_begun)
