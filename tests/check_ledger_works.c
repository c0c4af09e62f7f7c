/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works that are under way: their order, what is found of them, how they are told of. */
#include "tests/check_main.h"

#include "tests/ledger_script.h"

#define REPLY "\"program\":\"even\",\"status\":\"succeeded\"}\n"

START_TEST(works_are_confirmed_in_their_order_and_errors_touch_nobody_else)
{
	Ledger *ledger = desk_begin();
	int results[40];

	for (unsigned i = 0; i < 40; i++) {
		LedgerRun run = desk_submission(3 * (i + 1), i % 10 == 9 ? "taken" : NULL);

		results[i] = DESK_PENDING;
		ck_assert_int_eq(ledger_submit(ledger, &run, on_desk_done, &results[i]), 0);
	}
	desk_wait(ledger);
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_int_eq(results[i], i % 10 == 9 && i > 9 ? -EEXIST : 0);
		ck_assert_int_eq(desk_state(ledger, 3 * (i + 1)), results[i] < 0 ? DESK_ABSENT : (int)LEDGER_QUEUED);
	}
	ledger_close(ledger);
}
END_TEST

START_TEST(works_that_wait_share_a_commit)
{
	Ledger *ledger = desk_begin();
	LedgerCounts counts;

	for (unsigned i = 0; i < 2000; i++) {
		LedgerRun run = desk_submission(i, NULL);

		ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), 0);
	}
	desk_wait(ledger);
	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	ck_assert_uint_eq(counts.works, 2000);
	ck_assert_uint_eq(counts.runs[LEDGER_QUEUED], 2000);
	ck_assert_uint_lt(counts.commits, 1000);
	ledger_close(ledger);
}
END_TEST

START_TEST(what_is_under_way_is_found)
{
	Ledger *ledger = desk_begin();
	LedgerRun submission = desk_submission(3, "r"), end = desk_end(3, LEDGER_SUCCEEDED, REPLY);
	LedgerRun parked = desk_parked(4, "records");
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	int result = DESK_PENDING;
	sqlite3 *lock = desk_lock();

	ck_assert_int_eq(ledger_submit(ledger, &submission, on_desk_done, &result), 0);
	expect_request(ledger, 1000, "r", 3, LEDGER_QUEUED);
	ck_assert_int_eq(ledger_finish(ledger, &end, NULL, NULL), 0);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "r", &found), 0);
	ck_assert_int_eq(found.run.state, LEDGER_SUCCEEDED);
	ck_assert(found.run.under_way && found.run.promised && !found.run.arguments);
	ck_assert_mem_eq(found.run.reply, REPLY, strlen(REPLY));
	ck_assert_uint_eq(found.run.submitted_usec, 1003);
	ck_assert_int_eq(ledger_park(ledger, &parked, NULL, NULL), 0);
	ck_assert_int_eq(desk_state(ledger, 4), LEDGER_PARKED);
	ck_assert_int_eq(ledger_resume(ledger, &parked.run, NULL, NULL), 0);
	ck_assert_int_eq(desk_state(ledger, 4), LEDGER_RESUMED);
	ck_assert_int_eq(result, DESK_PENDING);
	desk_unlock(lock);
	desk_wait(ledger);
	ck_assert_int_eq(desk_state(ledger, 3), LEDGER_SUCCEEDED);
	ck_assert_int_eq(desk_state(ledger, 4), LEDGER_RESUMED);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_request_id_that_a_refusal_under_way_frees_can_be_taken_at_once)
{
	Ledger *ledger = desk_begin();
	LedgerRun first = desk_submission(3, "r"), refusal = desk_end(3, LEDGER_REFUSED, NULL);
	LedgerRun second = desk_submission(6, "r");
	sqlite3 *lock = desk_lock();

	ck_assert_int_eq(ledger_submit(ledger, &first, NULL, NULL), 0);
	ck_assert_int_eq(ledger_finish(ledger, &refusal, NULL, NULL), 0);
	expect_no_request(ledger, 1000, "r");
	ck_assert_int_eq(ledger_submit(ledger, &second, NULL, NULL), 0);
	expect_request(ledger, 1000, "r", 6, LEDGER_QUEUED);
	desk_unlock(lock);
	desk_wait(ledger);
	expect_request(ledger, 1000, "r", 6, LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_work_that_is_disowned_is_done_without_a_word)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);
	int result = DESK_PENDING;

	ck_assert_int_eq(ledger_submit(ledger, &run, on_desk_done, &result), 0);
	ledger_disown(ledger, &result);
	desk_wait(ledger);
	ck_assert_int_eq(result, DESK_PENDING);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

static void on_chain(void *context, int r)
{
	Ledger **ledger = context;
	LedgerRun run = desk_submission(2, NULL);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(ledger_submit(*ledger, &run, NULL, NULL), 0);
}

START_TEST(a_callback_may_begin_works)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);

	ck_assert_int_eq(ledger_submit(ledger, &run, on_chain, &ledger), 0);
	desk_wait(ledger);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

static void on_late(void *context, int r)
{
	Ledger **ledger = context;
	LedgerRun run = desk_submission(2, NULL);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(ledger_submit(*ledger, &run, NULL, NULL), -ESHUTDOWN);
	ck_assert_int_eq(ledger_remember(*ledger, &run), -ESHUTDOWN);
	*ledger = NULL;
}

START_TEST(closing_writes_what_is_under_way_and_leaves_one_file)
{
	Ledger *ledger = desk_begin(), *told = ledger;
	LedgerRun run = desk_submission(1, NULL), recent = desk_end(5, LEDGER_SUCCEEDED, NULL);

	ck_assert_int_eq(ledger_submit(ledger, &run, on_late, &told), 0);
	ck_assert_int_eq(ledger_remember(ledger, &recent), 0);
	ledger_close(ledger);
	ck_assert_ptr_null(told);
	ck_assert_int_eq(access(scratch_path(LEDGER_NAME), F_OK), 0);
	ck_assert_int_ne(access(scratch_path(LEDGER_NAME "-wal"), F_OK), 0);
	ck_assert_int_ne(access(scratch_path(LEDGER_NAME "-shm"), F_OK), 0);
	ledger = desk_open();
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_QUEUED);
	ck_assert_int_eq(desk_state(ledger, 5), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(too_many_works_are_not_taken_and_none_of_those_taken_is_lost)
{
	Ledger *ledger = desk_begin();
	sqlite3 *lock = desk_lock();
	LedgerCounts counts;
	size_t n = 0;
	int r;

	while ((r = ledger_adopt(ledger, NULL, NULL)) == 0)
		n++;
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_eq(n, LEDGER_WORKS_MAX);
	desk_unlock(lock);
	desk_wait(ledger);
	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	ck_assert_uint_eq(counts.works + counts.works_failed, n);
	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_work_that_another_program_locks_out_is_told_and_not_done)
{
	Ledger *ledger = desk_begin();
	sqlite3 *lock = desk_lock();

	ck_assert_int_eq(desk_submit(ledger, 1, "r"), -EBUSY);
	ck_assert_int_eq(desk_state(ledger, 1), DESK_ABSENT);
	desk_unlock(lock);
	ck_assert_int_eq(desk_submit(ledger, 1, "r"), 0);
	ledger_close(ledger);
}
END_TEST

static void expect_counted(Ledger *ledger)
{
	uint64_t unfinished[LEDGER_UNFINISHED];
	LedgerCounts counts;

	ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	ledger_unfinished(ledger, unfinished);
	for (unsigned state = 0; state < LEDGER_UNFINISHED; state++)
		ck_assert_msg(unfinished[state] == counts.runs[state], "%s: %" PRIu64 ", not %" PRIu64,
			      ledger_state_name((LedgerState)state), unfinished[state], counts.runs[state]);
	ck_assert_uint_gt(counts.runs[LEDGER_PARKED] + counts.runs[LEDGER_RESUMED] + counts.runs[LEDGER_QUEUED], 0);
}

START_TEST(unfinished_runs_are_counted_right_whatever_was_done_to_them)
{
	static Script script;
	Ledger *ledger = desk_begin();

	script_init(&script, 11, 0);
	for (unsigned i = 0; i < SCRIPT_WORKS; i++) {
		ck_assert_int_eq(script_do(ledger, &script, i, NULL, NULL), 0);
		if (i % 300 == 299) {
			ck_assert_int_eq(desk_submit(ledger, script.works[i].run, NULL), -EEXIST);
			expect_counted(ledger);
		}
	}
	ledger = desk_reopen(ledger);
	expect_counted(ledger);
	ledger_close(ledger);
}
END_TEST

CHECK_MAIN(ledger_works, unfinished_runs_are_counted_right_whatever_was_done_to_them,
	   too_many_works_are_not_taken_and_none_of_those_taken_is_lost,
	   a_work_that_another_program_locks_out_is_told_and_not_done,
	   works_are_confirmed_in_their_order_and_errors_touch_nobody_else, works_that_wait_share_a_commit,
	   what_is_under_way_is_found, a_request_id_that_a_refusal_under_way_frees_can_be_taken_at_once,
	   a_work_that_is_disowned_is_done_without_a_word, a_callback_may_begin_works,
	   closing_writes_what_is_under_way_and_leaves_one_file)
