/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a run's end to the moment when nothing of it is needed any more: synced, answered, stored; and what a full or
 * damaged ledger makes of that. */
#include "check_main.h"

#include "ledger_faults.h"
#include "promise_host.h"

static int ledger_state_of(const Id *run)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	int r = ledger_find(host.promises.ledger, run, &found);

	ck_assert(r == 0 || r == -ENOENT);
	return r == 0 ? (int)found.run.state : DESK_ABSENT;
}

START_TEST(a_run_of_durability_process_is_answered_at_once)
{
	Run *run;

	host_begin();
	run = host_run(HOST_QUICK, NULL, 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	ck_assert_ptr_nonnull(strstr(host_read(0), HOST_DONE "\n"));
	ck_assert_uint_eq(host_sync_wishes, 0);
	ck_assert(!outcomes_pending(&host.outcomes));
	ck_assert_uint_eq(host.outcomes.counts[WALK_SUCCEEDED], 1);
	ck_assert_uint_eq(host.outcomes.n_records, 3);
	ck_assert_uint_eq(host.outcomes.last_syncs, 1);
	ck_assert_uint_eq(host.n_ended, 1);
	host_close();
}
END_TEST

START_TEST(a_durable_run_is_answered_when_it_is_synced_and_not_before)
{
	Run *run;

	host_begin();
	run = host_run(HOST_TRANSFER, NULL, 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_RECTIFIED, HOST_DONE);
	host_synced = host_tail() - 8;
	outcomes_step(&host.outcomes, 0);
	ck_assert_uint_eq(host_sync_wishes, 1);
	ck_assert_str_eq(host_read(0), "");
	ck_assert_ptr_eq(outcomes_find(&host.outcomes, &run->id), run);
	ck_assert_uint_eq(host.n_ended, 0);
	host_sync();
	ck_assert_ptr_nonnull(strstr(host_read(0), HOST_DONE "\n"));
	ck_assert_uint_eq(host_sync_wishes, 1);
	ck_assert(!outcomes_pending(&host.outcomes));
	ck_assert_uint_eq(host.outcomes.counts[WALK_RECTIFIED], 1);
	host_close();
}
END_TEST

START_TEST(one_sync_answers_all_that_wait_for_it_and_no_more)
{
	Run *runs[3];

	host_begin();
	for (size_t i = 0; i < 3; i++) {
		runs[i] = host_run(HOST_TRANSFER, NULL, 1);
		host_attach(runs[i], i, WAITER_REPLY);
		host_end(runs[i], WALK_SUCCEEDED, HOST_DONE);
		if (i == 1)
			host_synced = host_tail();
	}
	outcomes_step(&host.outcomes, 0);
	ck_assert_uint_eq(host.outcomes.n_ended, 1);
	ck_assert_uint_gt(strlen(host_read(0)), 0);
	ck_assert_uint_gt(strlen(host_read(1)), 0);
	ck_assert_str_eq(host_read(2), "");
	host_close();
}
END_TEST

START_TEST(a_plain_run_is_remembered_with_its_reply_unless_that_may_tell_a_secret)
{
	_cleanup_ledger_found_ LedgerFound plain = { 0 }, secret = { 0 };
	Run *first, *second;
	Id ids[2];

	host_begin();
	first = host_run(HOST_TRANSFER, NULL, 1);
	second = host_run(HOST_WHISPER, NULL, 1);
	ids[0] = first->id;
	ids[1] = second->id;
	host_end(first, WALK_SUCCEEDED, HOST_DONE);
	host_end(second, WALK_SUCCEEDED, HOST_DONE);
	host_sync();
	host_close();
	host_open();
	ck_assert_int_eq(ledger_find(host.promises.ledger, &ids[0], &plain), 0);
	ck_assert_uint_eq(plain.run.reply_size, strlen(HOST_DONE));
	ck_assert(!plain.run.promised);
	ck_assert_int_eq(ledger_find(host.promises.ledger, &ids[1], &secret), 0);
	ck_assert_ptr_null(secret.run.reply);
	host_close();
}
END_TEST

START_TEST(a_promised_run_stays_until_the_ledger_has_its_reply)
{
	Run *run;
	Id id;

	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	id = run->id;
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	host_expect("r", PROMISE_RUN);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, HOST_DONE));
	ck_assert(outcomes_pending(&host.outcomes));
	ck_assert_int_eq(run->state, RUN_STORING);
	host_expect("r", PROMISE_RUN);
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	ck_assert_int_eq(ledger_state_of(&id), LEDGER_SUCCEEDED);
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
	host_open();
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_promised_run_of_durability_process_is_answered_at_once_and_stored)
{
	Run *run;

	host_begin();
	run = host_run(HOST_QUICK, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	ck_assert_str_eq(host_read(0), host_line(run, HOST_DONE));
	ck_assert_uint_eq(host_sync_wishes, 0);
	host_settle();
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_ledger_that_is_full_loses_nothing_and_is_tried_again)
{
	Run *run;

	faults_install();
	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, HOST_DONE));
	host_settle();
	ck_assert_uint_gt(faults.n_failed, 0);
	ck_assert_uint_eq(run->store_failures, 1);
	host_expect("r", PROMISE_RUN);
	ck_assert_mem_eq(run->reply.data, HOST_DONE, strlen(HOST_DONE));
	ck_assert_uint_gt(host.outcomes.retry_at_usec, 0);
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec - 1);
	ck_assert_uint_eq(ledger_under_way(host.promises.ledger), 0);
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec);
	host_settle();
	ck_assert_uint_eq(run->store_failures, 2);
	faults_clear();
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec);
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_ledger_that_is_damaged_is_not_asked_again_and_the_answer_stays_in_memory)
{
	Run *run;

	faults_install();
	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	ck_assert_ptr_null(promises_problem(&host.promises));
	faults_set(FAULT_WRITE, 1, SQLITE_CORRUPT, true);
	host_sync();
	host_settle();
	faults_clear();
	ck_assert_ptr_nonnull(strstr(promises_problem(&host.promises), "is damaged"));
	ck_assert_uint_eq(host.outcomes.retry_at_usec, 0);
	ck_assert(outcomes_pending(&host.outcomes));
	host_expect("r", PROMISE_RUN);
	host_close();
}
END_TEST

START_TEST(an_outcome_that_the_ledger_had_already_counts_as_stored)
{
	LedgerRun before;
	Run *run;

	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	before = desk_end(1, LEDGER_SUCCEEDED, HOST_DONE);
	before.run = run->id;
	before.uid = 1000;
	before.request_id = "r";
	before.fingerprint = run->fingerprint;
	ck_assert_int_eq(DESK_DO(host.promises.ledger, ledger_finish, &before), 0);
	host_end(run, WALK_RECTIFIED, HOST_OTHER);
	host_sync();
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_parked_run_moves_to_the_ledger_whole_and_stands_where_its_reply_says)
{
	Run *run;
	Id id;

	host_begin();
	run = host_run(HOST_TRANSFER, NULL, 1);
	id = run->id;
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_PARKED, HOST_PARKED);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, HOST_PARKED));
	ck_assert_uint_eq(host.n_parked, 0);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	ck_assert_uint_eq(host.promises.n_parked, 1);
	host_expect_parked(&id);
	host_close();
}
END_TEST

START_TEST(a_parked_run_waits_for_a_full_ledger_like_any_other)
{
	Run *run;
	Id id;

	faults_install();
	host_begin();
	run = host_run(HOST_QUICK, NULL, 1);
	id = run->id;
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	host_end(run, WALK_PARKED, HOST_PARKED);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 0);
	faults_clear();
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	host_expect_parked(&id);
	host_close();
}
END_TEST

START_TEST(a_run_that_ends_after_it_was_parked_leaves_the_parked_ones)
{
	Run *run, *again;
	Id id;

	host_begin();
	run = host_run(HOST_TRANSFER, NULL, 1);
	id = run->id;
	host_end(run, WALK_PARKED, HOST_PARKED);
	host_sync();
	host_settle();
	again = host_run(HOST_TRANSFER, NULL, 1);
	again->id = id;
	again->submitted = true;
	host_end(again, WALK_SETTLED, HOST_DONE);
	host_sync();
	host_settle();
	ck_assert_int_eq(ledger_state_of(&id), LEDGER_SETTLED);
	ck_assert_uint_eq(host.promises.n_parked, 0);
	host_close();
}
END_TEST

START_TEST(a_daemon_that_ends_before_the_ledger_took_it_frees_what_the_recorder_holds)
{
	Run *run;

	faults_install();
	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	run = host_run(HOST_TRANSFER, "s", 1);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	host_synced = run->offset;
	outcomes_step(&host.outcomes, 0);
	promises_close(&host.promises);
	ck_assert_uint_eq(host.outcomes.n_ended, 1);
	ck_assert_uint_eq(host.outcomes.n_storing, 1);
	faults_clear();
	host_close();
}
END_TEST

CHECK_MAIN(outcomes, a_run_of_durability_process_is_answered_at_once,
	   a_durable_run_is_answered_when_it_is_synced_and_not_before,
	   one_sync_answers_all_that_wait_for_it_and_no_more,
	   a_plain_run_is_remembered_with_its_reply_unless_that_may_tell_a_secret,
	   a_promised_run_stays_until_the_ledger_has_its_reply,
	   a_promised_run_of_durability_process_is_answered_at_once_and_stored,
	   a_ledger_that_is_full_loses_nothing_and_is_tried_again,
	   a_ledger_that_is_damaged_is_not_asked_again_and_the_answer_stays_in_memory,
	   an_outcome_that_the_ledger_had_already_counts_as_stored,
	   a_parked_run_moves_to_the_ledger_whole_and_stands_where_its_reply_says,
	   a_parked_run_waits_for_a_full_ledger_like_any_other,
	   a_run_that_ends_after_it_was_parked_leaves_the_parked_ones,
	   a_daemon_that_ends_before_the_ledger_took_it_frees_what_the_recorder_holds)
