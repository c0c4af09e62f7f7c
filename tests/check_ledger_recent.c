/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include "base/clock.h"
#include "tests/ledger_desk.h"

static void remember(Ledger *ledger, unsigned n, LedgerState state)
{
	LedgerRun run = desk_end(n, state, NULL);

	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
}

static int forget(Ledger *ledger, LedgerRetention retention, uint64_t now_usec)
{
	return DESK_DO(ledger, ledger_forget, &retention, now_usec);
}

static uint64_t count(Ledger *ledger, LedgerState state)
{
	LedgerCounts counts;

	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	return counts.runs[state];
}

START_TEST(a_recent_run_is_written_when_there_is_time)
{
	Ledger *ledger = desk_begin();
	LedgerCounts counts;

	remember(ledger, 1, LEDGER_SUCCEEDED);
	remember(ledger, 2, LEDGER_RECTIFIED);
	while (count(ledger, LEDGER_RECTIFIED) == 0)
		usleep(10000); /* the test's time is bounded */
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_SUCCEEDED);
	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	ck_assert_uint_eq(counts.recent_dropped, 0);
	ledger_close(ledger);
}
END_TEST

START_TEST(recent_runs_go_along_with_other_works)
{
	Ledger *ledger = desk_begin();
	sqlite3 *lock = desk_lock();
	LedgerRun run = desk_submission(9, NULL);

	remember(ledger, 1, LEDGER_SUCCEEDED); /* the thread takes this alone, and waits for the lock */
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), 0);
	remember(ledger, 2, LEDGER_SUCCEEDED);
	desk_unlock(lock);
	desk_wait(ledger);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_SUCCEEDED);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(too_many_recent_runs_are_dropped_and_counted)
{
	Ledger *ledger = desk_begin();
	sqlite3 *lock = desk_lock();
	LedgerCounts counts;
	uint64_t written;

	for (unsigned n = 0; n < 3 * LEDGER_RECENT_MAX; n++)
		remember(ledger, n, LEDGER_SUCCEEDED);
	desk_unlock(lock);
	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	written = 3 * LEDGER_RECENT_MAX - counts.recent_dropped;
	ck_assert_uint_ge(counts.recent_dropped, LEDGER_RECENT_MAX);
	ck_assert_uint_ge(written, LEDGER_RECENT_MAX);
	ledger = desk_reopen(ledger);
	ck_assert_uint_eq(count(ledger, LEDGER_SUCCEEDED), written);
	ck_assert_int_eq(desk_state(ledger, 3 * LEDGER_RECENT_MAX - 1), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_recent_run_is_no_promise)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_end(3, LEDGER_SUCCEEDED, "reply");
	LedgerFound found;

	run.request_id = "r";
	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "r", &found), -ENOENT);
	ck_assert_int_eq(ledger_find(ledger, &run.run, &found), 0);
	ck_assert(!found.run.promised);
	ledger_found_done(&found);
	ledger_close(ledger);
}
END_TEST

/* Runs 1 to 6: queued, parked, resumed, succeeded, rectified, settled. */
static Ledger *open_filled(void)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ck_assert_int_eq(desk_park(ledger, 2, "records"), 0);
	ck_assert_int_eq(desk_park(ledger, 3, "records"), 0);
	ck_assert_int_eq(desk_resume(ledger, 3), 0);
	ck_assert_int_eq(desk_finish(ledger, 4, LEDGER_SUCCEEDED, "reply"), 0);
	ck_assert_int_eq(desk_finish(ledger, 5, LEDGER_RECTIFIED, "reply"), 0);
	ck_assert_int_eq(desk_finish(ledger, 6, LEDGER_SETTLED, "reply"), 0);
	return ledger;
}

START_TEST(runs_are_listed_newest_first_by_what_is_asked_for)
{
	static const struct {
		LedgerFilter filter;
		DeskList expected;
	} cases[] = {
		{ { 0 }, { { 6, 5, 4, 3, 2, 1 }, 6 } },
		{ { .states = LEDGER_BIT(LEDGER_RECTIFIED) | LEDGER_BIT(LEDGER_SUCCEEDED) }, { { 5, 4 }, 2 } },
		{ { .states = LEDGER_BITS_UNFINISHED }, { { 3, 2, 1 }, 3 } },
		{ { .program = "odd" }, { { 5, 3, 1 }, 3 } },
		{ { .program = "none" }, { { 0 }, 0 } },
		{ { .has_uid = true, .uid = 1001 }, { { 4, 1 }, 2 } },
		{ { .has_uid = true, .uid = 0 }, { { 0 }, 0 } },
		{ { .since_usec = 3005 }, { { 6, 5 }, 2 } },
		{ { .limit = 2 }, { { 6, 5 }, 2 } },
		{ { .program = "even", .states = LEDGER_BITS_UNFINISHED, .limit = 1 }, { { 2 }, 1 } },
	};
	Ledger *ledger = open_filled();

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		DeskList list = desk_list(ledger, cases[i].filter);

		ck_assert_msg(list.n == cases[i].expected.n &&
				      memcmp(list.numbers, cases[i].expected.numbers, sizeof(list.numbers)) == 0,
			      "case %zu: %zu runs, the first is %u", i, list.n, list.numbers[0]);
	}
	ledger_close(ledger);
}
END_TEST

static int on_reply(void *context, const LedgerRun *run)
{
	*(unsigned *)context += run->reply != NULL;
	return 0;
}

START_TEST(replies_are_listed_where_they_are_asked_for)
{
	Ledger *ledger = open_filled();
	LedgerFilter filter = { .replies = false };
	unsigned n = 0;

	ck_assert_int_eq(ledger_list(ledger, &filter, on_reply, &n), 0);
	ck_assert_uint_eq(n, 0);
	filter.replies = true;
	ck_assert_int_eq(ledger_list(ledger, &filter, on_reply, &n), 0);
	ck_assert_uint_eq(n, 4);
	ledger_close(ledger);
}
END_TEST

START_TEST(runs_are_counted_by_state)
{
	Ledger *ledger = open_filled();
	LedgerCounts counts;

	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	for (unsigned state = 0; state < LEDGER_STATE_MAX; state++)
		ck_assert_uint_eq(counts.runs[state], state != LEDGER_REFUSED);
	ck_assert_uint_eq(counts.works, 7);
	ck_assert_uint_eq(counts.works_failed, 0);
	ledger_close(ledger);
}
END_TEST

START_TEST(states_and_verbs_have_names)
{
	ck_assert_str_eq(ledger_state_name(LEDGER_QUEUED), "queued");
	ck_assert_str_eq(ledger_state_name(LEDGER_REFUSED), "refused");
	ck_assert_str_eq(ledger_verb_name(LEDGER_RETRY), "retry");
	ck_assert_str_eq(ledger_verb_name(LEDGER_CONFIRM), "confirm");
}
END_TEST

START_TEST(ended_runs_beyond_the_count_are_forgotten)
{
	Ledger *ledger = desk_begin();

	for (unsigned n = 1; n <= 5; n++) {
		remember(ledger, n, LEDGER_SUCCEEDED);
		ck_assert_int_eq(desk_finish(ledger, 10 + n, LEDGER_SUCCEEDED, "reply"), 0);
	}
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(forget(ledger, (LedgerRetention){ .runs = 2 }, 0), 0);
	DeskList list = desk_list(ledger, (LedgerFilter){ .limit = 9 });
	ck_assert_uint_eq(list.n, 7);
	ck_assert_int_eq(desk_state(ledger, 3), DESK_ABSENT);
	ck_assert_int_eq(desk_state(ledger, 5), LEDGER_SUCCEEDED);
	ck_assert_int_eq(desk_state(ledger, 11), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(ended_runs_beyond_the_age_are_forgotten)
{
	Ledger *ledger = desk_begin();

	for (unsigned n = 1; n <= 5; n++)
		remember(ledger, n, LEDGER_SUCCEEDED); /* ended at 3000 + n */
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(forget(ledger, (LedgerRetention){ .runs_usec = 1000 }, 4003), 0);
	DeskList list = desk_list(ledger, (LedgerFilter){ .limit = 9 });
	desk_expect(&list, 5, 4, 3);
	ck_assert_int_eq(forget(ledger, (LedgerRetention){ .runs_usec = 100000 }, 4003), 0);
	list = desk_list(ledger, (LedgerFilter){ .limit = 9 });
	ck_assert_uint_eq(list.n, 3);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_promise_lapses_before_its_run_is_forgotten)
{
	Ledger *ledger = desk_begin();
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	LedgerFound none;
	Id id = desk_id(3);

	ck_assert_int_eq(desk_submit(ledger, 3, "three"), 0);
	ck_assert_int_eq(desk_finish(ledger, 3, LEDGER_SUCCEEDED, "reply"), 0);
	ck_assert_int_eq(desk_submit(ledger, 6, "six"), 0);
	ck_assert_int_eq(desk_finish(ledger, 6, LEDGER_SUCCEEDED, "reply"), 0);
	ck_assert_int_eq(forget(ledger, (LedgerRetention){ .replies = 1, .runs = 5 }, 0), 0);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "three", &none), -ENOENT);
	ck_assert_int_eq(ledger_find(ledger, &id, &found), 0);
	ck_assert(!found.run.reply && !found.run.promised && !found.run.request_id);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "six", &none), 0);
	ledger_found_done(&none);
	ck_assert_int_eq(desk_submit(ledger, 9, "three"), 0);
	ck_assert_int_eq(forget(ledger, (LedgerRetention){ .replies_usec = 1, .runs_usec = 1 }, 10000), 0);
	ck_assert_int_eq(desk_state(ledger, 3), DESK_ABSENT);
	ck_assert_int_eq(desk_state(ledger, 6), DESK_ABSENT);
	ck_assert_int_eq(desk_state(ledger, 9), LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

START_TEST(what_has_not_ended_is_never_forgotten)
{
	const LedgerRetention nothing = { .runs = 1, .runs_usec = 1, .replies = 1, .replies_usec = 1 };
	Ledger *ledger = open_filled();
	Id id = desk_id(2);

	ck_assert_int_eq(desk_decide(ledger, 2, 3, LEDGER_RETRY), 0);
	ck_assert_int_eq(forget(ledger, nothing, UINT64_MAX), 0);
	DeskList list = desk_list(ledger, (LedgerFilter){ .limit = 9 });
	desk_expect(&list, 3, 2, 1);
	list = desk_queue(ledger);
	desk_expect(&list, 1);
	ck_assert_int_eq(ledger_unpark(ledger, &id, on_desk_run, &list), 0);
	ledger_close(ledger);
}
END_TEST

START_TEST(forgetting_goes_in_bounded_pieces)
{
	Ledger *ledger = desk_begin();
	unsigned n_calls = 1;

	for (unsigned n = 0; n < 2 * LEDGER_FORGET_MAX + 10; n++) {
		LedgerRun run = desk_end(n, LEDGER_SUCCEEDED, "reply");

		ck_assert_int_eq(ledger_finish(ledger, &run, NULL, NULL), 0);
	}
	desk_wait(ledger);
	while (forget(ledger, (LedgerRetention){ .runs = 1, .replies = 3 }, 0) == 1)
		n_calls++;
	ck_assert_uint_ge(n_calls, 4);
	ck_assert_uint_eq(count(ledger, LEDGER_SUCCEEDED), 4);
	ledger_close(ledger);
}
END_TEST

static uint64_t open_time(void)
{
	uint64_t since = clock_monotonic(), usec;
	Ledger *ledger = desk_open();

	usec = clock_monotonic() - since;
	ledger_close(ledger);
	return usec;
}

START_TEST(many_ended_runs_are_opened)
{
	static char reply[800];
	Ledger *ledger;
	uint64_t empty, full;

	ledger_close(desk_begin());
	empty = open_time();
	ledger = desk_open();
	memset(reply, 'x', sizeof(reply) - 1);
	for (unsigned n = 0; n < 10000; n++) {
		LedgerRun run = desk_end(n, LEDGER_SUCCEEDED, reply);

		ck_assert_int_eq(ledger_finish(ledger, &run, NULL, NULL), 0);
	}
	ledger_close(ledger);
	full = open_time();
	printf("# an empty ledger opens in %u us, one with 10,000 ended runs in %u us\n", (unsigned)empty,
	       (unsigned)full);
	ledger = desk_open();
	ck_assert_uint_eq(count(ledger, LEDGER_SUCCEEDED), 10000);
	ledger_close(ledger);
}
END_TEST

CHECK_MAIN(ledger_recent, a_recent_run_is_written_when_there_is_time, recent_runs_go_along_with_other_works,
	   too_many_recent_runs_are_dropped_and_counted, a_recent_run_is_no_promise,
	   runs_are_listed_newest_first_by_what_is_asked_for, replies_are_listed_where_they_are_asked_for,
	   runs_are_counted_by_state, states_and_verbs_have_names, ended_runs_beyond_the_count_are_forgotten,
	   ended_runs_beyond_the_age_are_forgotten, a_promise_lapses_before_its_run_is_forgotten,
	   what_has_not_ended_is_never_forgotten, forgetting_goes_in_bounded_pieces, many_ended_runs_are_opened)
