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

CHECK_MAIN(worker_page, the_page_shows_the_call_in_hand_and_its_deadline, a_batch_is_performed_in_order_with_one_ring)
