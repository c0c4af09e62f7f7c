/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of runs: what is not written yet, and what they do not look at. */
#include "tests/check_main.h"

#include "tests/ledger_desk.h"

static void remember(Ledger *ledger, unsigned n, LedgerState state)
{
	LedgerRun run = desk_end(n, state, NULL);

	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
}

static uint64_t count(Ledger *ledger, LedgerState state)
{
	LedgerCounts counts;

	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	return counts.runs[state];
}

START_TEST(a_recent_run_is_found_and_listed_before_it_is_written_and_once)
{
	Ledger *ledger = desk_begin();
	sqlite3 *lock;
	LedgerRun run = desk_end(2, LEDGER_RECTIFIED, "reply");
	LedgerFound found = { 0 };
	DeskList list;

	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_SUCCEEDED, NULL), 0);
	lock = desk_lock();
	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
	remember(ledger, 3, LEDGER_SUCCEEDED);
	ck_assert_int_eq(ledger_find(ledger, &run.run, &found), 0);
	ck_assert_mem_eq(found.run.reply, "reply", 5);
	ledger_found_done(&found);
	list = desk_list(ledger, (LedgerFilter){ 0 });
	desk_expect(&list, 3, 2, 1);
	list = desk_list(ledger, (LedgerFilter){ .states = LEDGER_BIT(LEDGER_SUCCEEDED), .limit = 2 });
	desk_expect(&list, 3, 1);
	list = desk_list(ledger, (LedgerFilter){ .limit = 2 });
	desk_expect(&list, 3, 2);
	desk_unlock(lock);
	while (count(ledger, LEDGER_RECTIFIED) == 0)
		usleep(10000);             /* the test's time is bounded */
	for (unsigned i = 0; i < 2; i++) { /* before and after it is known to be written */
		list = desk_list(ledger, (LedgerFilter){ 0 });
		desk_expect(&list, 3, 2, 1);
		ledger_dispatch(ledger);
	}
	ledger_close(ledger);
}
END_TEST

START_TEST(only_so_many_runs_are_looked_through)
{
	Ledger *ledger = desk_begin();
	LedgerFilter filter = { .program = "odd", .look_max = 3 };

	for (unsigned n = 1; n <= 6; n++)
		ck_assert_int_eq(desk_finish(ledger, n, LEDGER_SUCCEEDED, NULL), 0);
	DeskList list = desk_list(ledger, filter);
	desk_expect(&list, 5);
	ck_assert(ledger_list_cuts(ledger, &filter));
	filter.look_max = 6;
	list = desk_list(ledger, filter);
	desk_expect(&list, 5, 3, 1);
	ck_assert(!ledger_list_cuts(ledger, &filter));
	filter = (LedgerFilter){ .has_uid = true, .uid = 1001, .look_max = 1 };
	list = desk_list(ledger, filter);
	desk_expect(&list, 4);
	ck_assert(ledger_list_cuts(ledger, &filter));
	ledger_close(ledger);
}
END_TEST

static int on_small_reply(void *context, const LedgerRun *run)
{
	*(unsigned *)context = 10 * *(unsigned *)context + (run->reply != NULL);
	return 0;
}

START_TEST(of_small_replies_those_of_failures_alone_are_listed_where_that_is_asked_for)
{
	LedgerFilter filter = { .replies = true, .reply_max = 5 };
	Ledger *ledger = desk_begin();
	unsigned seen = 0;

	for (unsigned n = 1; n <= 3; n++) {
		LedgerRun run = desk_end(n, n == 1 ? LEDGER_SUCCEEDED : LEDGER_RECTIFIED, n == 3 ? "larger" : "small");

		run.error = n == 1 ? ERROR_NONE : ERROR_HOOK_FAILED;
		ck_assert_int_eq(DESK_DO(ledger, ledger_finish, &run), 0);
	}
	ck_assert_int_eq(ledger_list(ledger, &filter, on_small_reply, &seen), 0);
	ck_assert_uint_eq(seen, 10); /* 3: no, 2: yes, 1: no */
	ck_assert_ptr_null(ledger_problem(ledger));
	ledger_close(ledger);
}
END_TEST

CHECK_MAIN(ledger_list, a_recent_run_is_found_and_listed_before_it_is_written_and_once,
	   only_so_many_runs_are_looked_through,
	   of_small_replies_those_of_failures_alone_are_listed_where_that_is_asked_for)
