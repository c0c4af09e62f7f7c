/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorder that gets full while ryuso-worker writes to it. */
#include "check_main.h"
#include "worker_room.h"

START_TEST(a_full_recorder_is_replaced_before_a_run_begins)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	atomic_store(&record_page(&host.file)->tail, HOST_RECORDER_SIZE - 4096);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	send_three(&host, "ok", "fail", "ok");
	until_full(&host, &story);
	ck_assert_uint_gt(atomic_load(&record_page(&host.file)->wanted), 1U << 20);
	move_recorder(&host, HOST_RECORDER_SIZE);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	/* The order that had come before the recorder is not lost. */
	story = (Story){ 0 };
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2f -1");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

/* A recorder with room for the run and its first step alone. */
static void fill_up(Host *host)
{
	host_init(host, "play");
	host->options[0] = "--pool-max=30000";
	host->options[1] = "--notes-max=20000";
	host->options[2] = "--rectified-max=10000";
	begin(host);
}

static size_t room_wanted(void)
{
	Story story = { 0 };
	size_t wanted;
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, HOST_RECORDER_SIZE - 64);
	send_three(&host, "note", "ok", "ok");
	until_full(&host, &story);
	wanted = atomic_load(&record_page(&host.file)->wanted);
	kill(host.pid, SIGKILL);
	host_reap(&host);
	host_done(&host);
	return wanted;
}

START_TEST(a_recorder_that_gets_full_in_a_run_is_replaced_and_the_run_goes_on)
{
	Story story = { 0 };
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, (HOST_RECORDER_SIZE - room_wanted()) / 8 * 8 - 64);
	host.offset = atomic_load(&record_page(&host.file)->tail);
	send_three(&host, "note", "ok", "fail");
	until_full(&host, &story);
	ck_assert_str_eq(story.trace, "1");
	move_recorder(&host, HOST_RECORDER_SIZE);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
	printed(&host, "undo 1.1 done noted there");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_no_recorder_holds_is_rectified)
{
	Story story = { 0 };
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, (HOST_RECORDER_SIZE - room_wanted()) / 8 * 8 - 64);
	host.offset = atomic_load(&record_page(&host.file)->tail);
	send_three(&host, "note", "ok", "ok");
	until_full(&host, &story);
	move_recorder(&host, 32768);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 -1");
	ck_assert_int_eq(story.error, ERROR_INTERRUPTED);
	replied(&story, "the recorder has no room for the rest of the run");
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker_room, a_full_recorder_is_replaced_before_a_run_begins,
	   a_recorder_that_gets_full_in_a_run_is_replaced_and_the_run_goes_on,
	   a_run_that_no_recorder_holds_is_rectified)
