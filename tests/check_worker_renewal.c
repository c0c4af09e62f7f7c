/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ryuso-worker and a disk that fails, or that failed the daemon: a new recorder takes the old one's place (rule 29). */
#include "worker_double.h"

/* The syncs from \p first on fail, \p n of them; the new recorders come synced, or not. */
static void fail_and_go_on(size_t first, size_t n, bool synced)
{
	Story story = { 0 };
	Host host;

	double_init(&host);
	double_log->fail_first = first;
	double_log->fail_n = n;
	begin(&host);
	send_three(&host, "mark", "ok", "fail");
	for (size_t i = 0; i < n; i++) {
		const RecordPage *page = record_page(&host.file);

		until_full(&host, &story);
		ck_assert_uint_eq(atomic_load(&page->failed), EIO);
		ck_assert_uint_gt(atomic_load(&page->wanted), 1U << 16);
		/* What was not synced is not said to be. */
		ck_assert_uint_lt(atomic_load(&page->synced), atomic_load(&page->tail));
		move_recorder_as(&host, HOST_RECORDER_SIZE, synced);
	}
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_uint_eq(story.notes, 1);
	printed(&host, "undo 1.1 done noted mark token 1\n");
	/* BEGIN, note, BEGIN, BEGIN, and two on the way back; what comes synced needs no more. */
	ck_assert_uint_eq(double_log->n_syncs, synced ? 6U : 6U + n);
	ck_assert_uint_eq(story.told_syncs, synced ? 6U - n : 6U);
	ck_assert_uint_eq(story.told_records, story.records);
	double_end(&host);
}

START_TEST(a_run_goes_on_in_a_new_recorder_whichever_sync_fails)
{
	for (size_t first = 1; first <= 6; first++)
		fail_and_go_on(first, 1, true);
}
END_TEST

START_TEST(a_sync_that_fails_in_the_new_recorder_asks_for_another)
{
	for (size_t first = 1; first <= 6; first++)
		fail_and_go_on(first, 3, false);
	fail_and_go_on(1, 6, true);
}
END_TEST

START_TEST(the_time_that_a_new_recorder_takes_is_no_hooks)
{
	static const uint64_t timeout = 3600 * USEC_PER_SEC;
	const RecordPage *page;
	Story story = { 0 };
	uint64_t since;
	Host host;

	double_init(&host);
	double_log->fail_first = 2;
	double_log->fail_n = 1;
	begin(&host);
	send_two(&host, "limited", "ok", "stop");
	until_full(&host, &story);
	page = record_page(&host.file);
	ck_assert_uint_eq(page->step, 2);
	ck_assert_uint_eq(atomic_load(&page->deadline_usec), 0);
	since = clock_monotonic();
	move_recorder(&host, HOST_RECORDER_SIZE);
	until_stopped(&host);
	page = record_page(&host.file);
	ck_assert_uint_gt(atomic_load(&page->deadline_usec), page->since_usec + timeout);
	ck_assert_uint_le(atomic_load(&page->deadline_usec), clock_monotonic() + timeout);
	ck_assert_uint_le(page->since_usec, since);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	double_end(&host);
}
END_TEST

START_TEST(where_no_new_recorder_can_be_asked_for_nothing_more_is_recorded)
{
	Story story = { 0 };
	Record record;
	Host host;

	double_init(&host);
	double_log->fail_first = 3; /* two begins, then the note */
	double_log->fail_n = 1;
	begin(&host);
	send_three(&host, "ok", "deaf", "ok");
	follow(&host, &story);
	ck_assert(!story.finished);
	ck_assert_str_eq(story.trace, "1");
	ck_assert_int_ne(host_reap(&host), 0);
	ck_assert(!host_has_record(&host, &record));
	resume(&host, ERROR_HOOK_UNKNOWN, "it closed its descriptors");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	double_end(&host);
}
END_TEST

START_TEST(a_new_recorder_that_the_daemon_wants_is_asked_for_at_the_next_boundary)
{
	static const char *const acts[2][2] = { { "stop", "ok" }, { "ok", "stop" } };

	for (size_t i = 0; i < ELEMENTSOF(acts); i++) {
		Story story = { 0 };
		Host host;

		double_init(&host);
		begin(&host);
		send_three(&host, acts[i][0], acts[i][1], "fail");
		until_stopped(&host);
		atomic_store(&record_page(&host.file)->renew, 1);
		kill(host.pid, SIGCONT);
		until_full(&host, &story);
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->failed), 0);
		ck_assert_str_eq(story.trace, i == 0 ? "1" : "1 2");
		move_recorder(&host, HOST_RECORDER_SIZE);
		follow(&host, &story);
		ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
		double_end(&host);
	}
}
END_TEST

START_TEST(a_new_recorder_that_the_daemon_wants_is_asked_for_on_the_way_back_and_in_a_wait)
{
	const RecordPage *page;
	Story story = { 0 };
	Host host;

	double_init(&host);
	host.undo = "stop";
	begin(&host);
	send_three(&host, "ok", "ok", "fail");
	until_stopped(&host);
	atomic_store(&record_page(&host.file)->renew, 1);
	kill(host.pid, SIGCONT);
	until_full(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2");
	move_recorder(&host, HOST_RECORDER_SIZE);
	until_stopped(&host);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	host.start = 0; /* what has ended stays behind */
	story = (Story){ 0 };
	send_two(&host, "patient", "ok", "fail");
	page = record_page(&host.file);
	while (atomic_load(&page->state) != RECORD_WAITING)
		host_round(&host);
	atomic_store(&record_page(&host.file)->renew, 1);
	until_full(&host, &story);
	ck_assert_str_eq(story.trace, "1 2f");
	move_recorder(&host, HOST_RECORDER_SIZE);
	/* It waits on. */
	page = record_page(&host.file);
	while (atomic_load(&page->state) != RECORD_WAITING)
		host_round(&host);
	wish(&host, ERROR_CANCELLED);
	until_stopped(&host);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2f -1");
	double_end(&host);
}
END_TEST

START_TEST(a_new_recorder_that_the_daemon_wants_is_asked_for_before_a_run_begins)
{
	Story story = { 0 };
	Host host;

	double_init(&host);
	atomic_store(&record_page(&host.file)->renew, 1);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	until_full(&host, &story);
	ck_assert_uint_eq(story.records, 0);
	move_recorder(&host, HOST_RECORDER_SIZE);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	double_end(&host);
}
END_TEST

DOUBLE_MAIN(worker_renewal, a_run_goes_on_in_a_new_recorder_whichever_sync_fails,
	    a_sync_that_fails_in_the_new_recorder_asks_for_another, the_time_that_a_new_recorder_takes_is_no_hooks,
	    where_no_new_recorder_can_be_asked_for_nothing_more_is_recorded,
	    a_new_recorder_that_the_daemon_wants_is_asked_for_at_the_next_boundary,
	    a_new_recorder_that_the_daemon_wants_is_asked_for_on_the_way_back_and_in_a_wait,
	    a_new_recorder_that_the_daemon_wants_is_asked_for_before_a_run_begins)
