/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon sees of ryuso-worker in the recorder's first page, and what it asks for there. */
#include "check_main.h"
#include "worker_story.h"

/* Waits until the call in hand is the one that prints \p line. */
static void until_printed(Host *host, const char *line)
{
	while (!strstr(host_printed(host), line))
		host_round(host);
}

START_TEST(the_page_shows_the_call_in_hand_and_its_deadline)
{
	const RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	page = record_page(&host.file);
	send_two(&host, "limited", "ok", "hang");
	until_printed(&host, "h");
	until_printed(&host, "slow 2.1 hang");
	ck_assert_uint_eq(atomic_load(&page->turn) % 2, 1);
	ck_assert_uint_eq(atomic_load(&page->state), RECORD_RUNNING);
	ck_assert_uint_eq(page->step, 2);
	ck_assert_uint_eq(page->attempt, 1);
	ck_assert_uint_eq(page->run[0], 7);
	ck_assert_uint_eq(page->rectifying, 0);
	ck_assert_uint_eq(page->deadline_is_program, 0);
	ck_assert(atomic_load(&page->deadline_usec) == page->since_usec + 3600 * USEC_PER_SEC);
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	go_on(&host, &story, ERROR_HOOK_TIMEOUT, "not done within 3600 s");
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	ck_assert_int_eq(story.error, ERROR_HOOK_TIMEOUT);
	replied(&story, "not done within 3600 s");
	ck_assert_uint_eq(atomic_load(&page->deadline_usec), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_wish_to_cancel_takes_effect_at_the_next_boundary)
{
	RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	atomic_store(&page->wish, ERROR_CANCELLED);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_str_eq(story.trace, "");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	/* Another run's wish is none of this one's. */
	page->wish_run[0] = 8;
	story = (Story){ 0 };
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	host_done(&host);
}
END_TEST

START_TEST(a_wish_ends_a_wait_and_survives_the_worker)
{
	RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	begin(&host);
	send_two(&host, "patient", "ok", "fail");
	while (atomic_load(&page->state) != RECORD_WAITING)
		host_round(&host);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	atomic_store(&page->wish, ERROR_CANCELLED);
	follow(&host, &story);
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_was_stopped_is_taken_up_as_stopped)
{
	RecordPage *page;
	Story story = { 0 };
	siginfo_t info;
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	begin(&host);
	send_three(&host, "stop", "ok", "ok");
	ck_assert_int_eq(waitid(P_PID, (id_t)host.pid, &info, WSTOPPED), 0);
	ck_assert_int_eq(info.si_code, CLD_STOPPED);
	ck_assert_uint_eq(atomic_load(&page->turn) % 2, 1);
	atomic_store(&page->wish, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	while (story.stops == 0) {
		Record record;

		ck_assert(host_next(&host, &record));
		story.stops += record.kind == RECORD_STOP;
	}
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	if (!story.finished)
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	host_done(&host);
}
END_TEST

START_TEST(a_batch_is_performed_in_order_with_one_ring)
{
	static const Pair pairs[] = {
		{ .name = "first", .text = "ok" },
		{ .name = "second", .text = "ok" },
		{ .name = "third", .text = "ok" },
	};
	_cleanup_buffer_ Buffer orders = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	begin(&host);
	for (uint8_t i = 0; i < ORDER_BATCH_MAX; i++)
		order_of("three", i, pairs, ELEMENTSOF(pairs), &orders);
	host_send(&host, &orders);
	for (unsigned i = 0; i < ORDER_BATCH_MAX;) {
		RecordFinish finish;

		ck_assert(host_next(&host, &record));
		if (record.kind != RECORD_FINISH)
			continue;
		ck_assert_int_eq(record_decode_finish(&record, &finish), 0);
		ck_assert_uint_eq(finish.run.bytes[0], i++);
	}
	ck_assert_int_eq(host_end(&host), 0);
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
	Record record;
	Host host;
	Id id;

	host_init(&host, "play");
	begin(&host);
	order_encode_run(&start, &orders);
	host_send(&host, &orders);
	ck_assert(host_next(&host, &record));
	ck_assert_int_eq(record_decode_unbegun(&record, &id), 0);
	ck_assert(id_equal(&id, &start.run));
	host_done(&host);
}
END_TEST

START_TEST(a_worker_that_is_held_leaves_before_the_next_run_begins)
{
	Story story = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	begin(&host);
	send_three(&host, "stop", "ok", "ok");
	send_three(&host, "ok", "ok", "ok");
	ck_assert_int_eq(waitid(P_PID, (id_t)host.pid, &(siginfo_t){ 0 }, WSTOPPED), 0);
	atomic_store(&record_page(&host.file)->hold, 1);
	kill(host.pid, SIGCONT);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert(!host_next(&host, &record));
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
	ck_assert_int_eq(host_reap(&host), 0);
	printed(&host, "closed in good order");
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker_page, a_worker_that_is_held_leaves_before_the_next_run_begins,
	   the_page_shows_the_call_in_hand_and_its_deadline, a_wish_to_cancel_takes_effect_at_the_next_boundary,
	   a_wish_ends_a_wait_and_survives_the_worker, a_run_that_was_stopped_is_taken_up_as_stopped,
	   a_batch_is_performed_in_order_with_one_ring, a_run_whose_time_to_begin_has_passed_is_not_begun)
