/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real worker, with a test in the daemon's place: what hooks do, good or bad. */
#include "check_main.h"
#include "worker_story.h"

START_TEST(a_hello_carries_the_spec_and_the_build_id)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello hello;
	Id fingerprint;
	Host host;
	char byte;

	host_init(&host, "play");
	host_start(&host);
	ck_assert_int_eq(host_hello(&host, &frame, &hello), 0);
	ck_assert_uint_eq(hello.error_size, 0);
	ck_assert_uint_eq(hello.abi_major, 1);
	ck_assert(memcmp(hello.spec, "{\"name\":\"wk\"", 12) == 0);
	id_fingerprint(hello.spec, hello.spec_size, &fingerprint);
	ck_assert(id_equal(&fingerprint, &hello.fingerprint));
	ck_assert_uint_eq(hello.build_id_size, 40);
	/* The way back is shut. */
	ck_assert_int_eq(recv(host.channel, &byte, 1, 0), 0);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_goes_to_its_end)
{
	Story story;
	Host host;

	play(&host, &story, "ok", "ok", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	replied(&story, "\"program\":\"three\",\"success\":true,\"status\":\"succeeded\"");
	while (host.rings == 0)
		host_round(&host);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_IDLE);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
	ck_assert_int_eq(host_end(&host), 0);
	printed(&host, "h2 2.1 ok by 4711 of 07010203000000000000000000000000\n");
	printed(&host, "closed in good order");
	host_done(&host);
}
END_TEST

START_TEST(a_failed_run_is_rectified_from_the_step_before)
{
	Story story;
	Host host;

	play(&host, &story, "note", "ok", "fail");
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_HOOK_FAILED);
	replied(&story, "\"status\":\"rectified\"");
	replied(&story, "\"reason\":\"Refused\"");
	replied(&story, "no cake for you");
	replied(&story, "\"rectified\":[{\"step\":2,\"hook\":\"h2\"},{\"step\":1,\"hook\":\"h1\"}],\"remaining\":[]");
	printed(&host, "undo 1.1 done noted there token 1");
	printed(&host, "undo 2.1 done noted nothing token 1");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_crashed_hook_is_in_doubt_and_the_run_goes_on_in_a_fresh_worker)
{
	static const char *const ways[] = { "crash", "exit", "_exit" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "note", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 1);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed by signal 9 (Killed)");
		ck_assert_str_eq(story.trace, "1 2? -2 -1");
		ck_assert_int_eq(story.status, WALK_RECTIFIED);
		replied(&story, "\"name\":\"HookUnknown\"");
		replied(&story, "killed by signal 9 (Killed)");
		replied(&story, "{\"step\":2,\"hook\":\"h2\",\"in_doubt\":true}");
		printed(&host, "undo 2.1 in doubt noted nothing token 1");
		printed(&host, "undo 1.1 done noted there token 1");
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(a_hook_that_does_not_know_gets_a_fresh_worker)
{
	static const char *const ways[] = { "unknown", "odd", "close" };
	static const char *const messages[] = { "the answer was lost", "returned 17", "descriptors" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "ok", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1 2?");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "never said");
		ck_assert_str_eq(story.trace, "1 2? -2 -1");
		replied(&story, messages[i]);
		not_printed(&host, "closed in good order");
		host_done(&host);
	}
}
END_TEST

START_TEST(a_ring_too_many_harms_nobody)
{
	Story story;
	Host host;

	play(&host, &story, "ring", "ring", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	send_three(&host, "ok", "ring", "ok");
	story = (Story){ 0 };
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(rubbish_in_the_channel_goes_nowhere)
{
	Story story;
	Host host;
	char byte;

	play(&host, &story, "ok", "rubbish", "ok");
	ck_assert_int_eq(recv(host.channel, &byte, 1, 0), 0);
	go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed by signal 13 (Broken pipe)");
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	host_done(&host);
}
END_TEST

START_TEST(a_child_that_was_left_is_dead_before_the_next_step_begins)
{
	const char *killed;
	int pid = 0;
	Story story;
	Host host;

	play(&host, &story, "daemon", "ask", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_ptr_nonnull(strstr(host_printed(&host), "left "));
	ck_assert_int_eq(sscanf(strstr(host_printed(&host), "left "), "left %d", &pid), 1);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	killed = strstr(host_printed(&host), "they were killed");
	ck_assert(killed && killed < strstr(host_printed(&host), "h2 2.1"));
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_forked_copy_that_returns_writes_nothing)
{
	Story story;
	Host host;

	play(&host, &story, "fork", "fork", "fork");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_int_eq(host_end(&host), 0);
	ck_assert_uint_eq(host.offset, atomic_load(&record_page(&host.file)->tail));
	host_done(&host);
}
END_TEST

START_TEST(another_process_or_thread_is_told_nothing)
{
	Story story;
	Host host;

	play(&host, &story, "ask", "ok", "thread");
	printed(&host, "the copy says 7\n");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_uint_eq(story.notes, 0);
	host_reap(&host);
	if (strstr(host_printed(&host), "from a thread"))
		printed(&host, "from a thread: note -1, token none");
	host_done(&host);
}
END_TEST

START_TEST(a_thread_or_a_timer_makes_the_worker_leave_and_the_run_goes_on)
{
	static const char *const ways[] = { "thread", "joined", "alarm", "timer" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "ok", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1 2");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "");
		ck_assert_str_eq(story.trace, "1 2 3");
		ck_assert_int_eq(story.status, WALK_SUCCEEDED);
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(notes_and_values_are_capped)
{
	Story story;
	Host host;

	host_init(&host, "play");
	host.options[0] = "--notes-max=20000";
	host.options[1] = "--pool-max=20000";
	begin(&host);
	story = (Story){ 0 };
	send_three(&host, "note", "set", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_uint_eq(story.notes, 6);
	printed(&host, "4 big notes, then -7; 1\n");
	printed(&host, "4 big values, then -7; again the first: 0; seen: 0\n");
	host_done(&host);
}
END_TEST

START_TEST(what_rectifiers_write_is_capped_over_the_whole_run)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	host.options[0] = "--rectified-max=10000";
	begin(&host);
	send_three(&host, "note", "note", "fail");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	printed(&host, "undo 2.1 done noted there token 1\n2 big values, then -7; again the first: 0; seen: 0\n");
	printed(&host, "undo 1.1 done noted there token 1\n0 big values, then -7; again the first: -7; seen: 1\n");
	host_done(&host);
}
END_TEST

START_TEST(metadata_is_read_and_passed_on)
{
	static const Pair pairs[] = {
		{ .name = "first", .text = "ok" },
		{ .name = "second", .text = "thread" },
		{ .name = "third", .text = "ok" },
		{ .name = "_ticket", .text = "T-7" },
	};
	_cleanup_buffer_ Buffer orders = { 0 };
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	order_of("three", 7, pairs, ELEMENTSOF(pairs), &orders);
	host_send(&host, &orders);
	follow(&host, &story);
	printed(&host, "ticket T-7\nh1 1.1 ok");
	go_on(&host, &story, ERROR_HOOK_UNKNOWN, "");
	printed(&host, "ticket T-7\nh3 3.1 ok");
	host_done(&host);
}
END_TEST

START_TEST(values_of_every_type_reach_the_hook_and_come_back)
{
	static const Pair pairs[] = {
		{ .name = "i", .json = "-2" },        { .name = "f", .json = "3" },
		{ .name = "s", .text = "text" },      { .name = "l", .json = "[1,[2]]" },
		{ .name = "d", .json = "{\"a\":1}" },
	};
	_cleanup_buffer_ Buffer orders = { 0 };
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	order_of("typed", 7, pairs, ELEMENTSOF(pairs), &orders);
	host_send(&host, &orders);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2");
	printed(&host, "1 of two, 1 text, 3 entries, {\"a\":1}, default 42\n");
	printed(&host, "no such argument: -22; untyped: 0, undeclared key: -22, declared: 0, not finite: -22\n");
	replied(&story, "\"data_pool\":{\"sum\":40");
	replied(&story, "\"tree\":{\"a\":1}");
	replied(&story, "\"pair\":\"-2 and 40\"");
	host_done(&host);
}
END_TEST

START_TEST(a_flaky_hook_is_called_again_after_a_wait)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	send_two(&host, "limited", "ok", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2");
	story = (Story){ 0 };
	send_two(&host, "hurried", "ok", "fail");
	follow(&host, &story);
	/* Its time ends it, long before its attempts do. */
	ck_assert_uint_eq(story.stops, 1);
	ck_assert(strncmp(story.trace, "1 2f 2f", 7) == 0);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_PROGRAM_TIMEOUT);
	host_done(&host);
}
END_TEST

START_TEST(what_a_hook_starts_inherits_the_lock_of_the_tree_alone)
{
	Story story;
	Host host;

	play(&host, &story, "tree", "ok", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	printed(&host, "the tree's lock is open: 0\n");
	host_done(&host);
}
END_TEST

START_TEST(what_is_logged_comes_as_lines_with_their_level)
{
	Story story;
	Host host;

	play(&host, &story, "log", "ok", "ok");
	printed(&host, "<4>one\n<4>two ?[31m\n");
	host_done(&host);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
START_TEST(a_hook_that_fills_memory_harms_its_own_run_alone)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	host.options[0] = "--memory=268435456";
	begin(&host);
	send_three(&host, "ok", "fill", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1");
	go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed by signal 6 (Aborted)");
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	host_done(&host);
}
END_TEST
#define MEMORY_TESTS a_hook_that_fills_memory_harms_its_own_run_alone,
#else
#define MEMORY_TESTS
#endif

CHECK_MAIN(worker, what_rectifiers_write_is_capped_over_the_whole_run, metadata_is_read_and_passed_on,
	   MEMORY_TESTS a_hello_carries_the_spec_and_the_build_id, a_run_goes_to_its_end,
	   a_failed_run_is_rectified_from_the_step_before,
	   a_crashed_hook_is_in_doubt_and_the_run_goes_on_in_a_fresh_worker,
	   a_hook_that_does_not_know_gets_a_fresh_worker, a_ring_too_many_harms_nobody,
	   rubbish_in_the_channel_goes_nowhere, a_child_that_was_left_is_dead_before_the_next_step_begins,
	   a_forked_copy_that_returns_writes_nothing, another_process_or_thread_is_told_nothing,
	   a_thread_or_a_timer_makes_the_worker_leave_and_the_run_goes_on, notes_and_values_are_capped,
	   values_of_every_type_reach_the_hook_and_come_back, a_flaky_hook_is_called_again_after_a_wait,
	   what_a_hook_starts_inherits_the_lock_of_the_tree_alone, what_is_logged_comes_as_lines_with_their_level)
