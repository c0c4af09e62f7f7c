/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A worker that is to leave its run to another, and what the other one makes of it. */
#include "check_main.h"
#include "worker_story.h"

/* The worker has left in good order, and recorded nothing. */
static void left(Host *host, Story *story, const char *trace)
{
	ck_assert_uint_eq(story->stops, 0);
	ck_assert_str_eq(story->trace, trace);
	ck_assert_uint_eq(atomic_load(&record_page(&host->file)->state), RECORD_LEAVING);
	ck_assert_uint_eq(atomic_load(&record_page(&host->file)->turn) % 2, 0);
	ck_assert_int_eq(host_reap(host), 0);
	printed(host, "closed in good order");
	ck_assert_uint_ge(host->rings, 1);
}

static void pause_worker(Host *host, bool on)
{
	atomic_store(&record_page(&host->file)->hold, on);
	atomic_store(&record_page(&host->file)->pause, on);
}

START_TEST(a_worker_that_is_held_ends_its_run_and_leaves_before_the_next_begins)
{
	Story story;
	Record record;
	Host host;

	play_until(&host, &story, "three", 1);
	send_three(&host, "ok", "ok", "ok");
	atomic_store(&record_page(&host.file)->hold, 1);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert(!host_next(&host, &record));
	left(&host, &story, "1 2 3");
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_is_paused_at_any_boundary_is_carried_on)
{
	static const char *const traces[] = { "1", "1 2" };

	for (unsigned at = 1; at <= 2; at++) {
		Story story;
		Host host;

		play_until(&host, &story, "three", at);
		pause_worker(&host, true);
		kill(host.pid, SIGCONT);
		follow(&host, &story);
		ck_assert(!story.finished);
		left(&host, &story, traces[at - 1]);
		pause_worker(&host, false);
		resume(&host, ERROR_HOOK_UNKNOWN, "");
		follow(&host, &story);
		ck_assert_str_eq(story.trace, "1 2 3");
		ck_assert_int_eq(story.status, WALK_SUCCEEDED);
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(a_run_with_nothing_left_to_run_ends_although_it_is_paused)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 3);
	pause_worker(&host, true);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_is_paused_on_its_way_back_is_carried_on_there)
{
	Story story;
	Host host;

	play_back(&host, &story, false);
	pause_worker(&host, true);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	left(&host, &story, "1 2 3f -2");
	pause_worker(&host, false);
	resume(&host, ERROR_HOOK_UNKNOWN, "");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_pause_ends_a_wait)
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
	pause_worker(&host, true);
	follow(&host, &story);
	left(&host, &story, "1 2f");
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_was_interrupted_too_often_is_stopped_before_anything_else)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 2);
	pause_worker(&host, true);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	left(&host, &story, "1 2");
	pause_worker(&host, false);
	resume_with(&host, ERROR_INTERRUPTED, ERROR_INTERRUPTED, "it was interrupted 3 times");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 -2 -1");
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_INTERRUPTED);
	replied(&story, "it was interrupted 3 times");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(an_attempt_in_hand_is_broken_off_and_not_stopped_as_well)
{
	Story story;
	Host host;

	play_until(&host, &story, "three", 2);
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	host_reap(&host);
	resume_with(&host, ERROR_INTERRUPTED, ERROR_INTERRUPTED, "it was interrupted");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	ck_assert_uint_eq(story.stops, 0);
	ck_assert_int_eq(story.error, ERROR_INTERRUPTED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_on_its_way_back_is_not_stopped_again)
{
	Story story;
	Host host;

	play_back(&host, &story, false);
	pause_worker(&host, true);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	left(&host, &story, "1 2 3f -2");
	pause_worker(&host, false);
	resume_with(&host, ERROR_INTERRUPTED, ERROR_INTERRUPTED, "it was interrupted");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_uint_eq(story.stops, 0);
	ck_assert_int_eq(story.error, ERROR_HOOK_FAILED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker_pause, a_worker_that_is_held_ends_its_run_and_leaves_before_the_next_begins,
	   a_run_that_is_paused_at_any_boundary_is_carried_on,
	   a_run_with_nothing_left_to_run_ends_although_it_is_paused,
	   a_run_that_is_paused_on_its_way_back_is_carried_on_there, a_pause_ends_a_wait,
	   a_run_that_was_interrupted_too_often_is_stopped_before_anything_else,
	   an_attempt_in_hand_is_broken_off_and_not_stopped_as_well, a_run_on_its_way_back_is_not_stopped_again)
