/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request id stands for; what is counted, and what is forgotten. */
#include "check_main.h"

#include "base/clock.h"
#include "promise_host.h"

START_TEST(a_request_id_stands_for_its_run_while_that_is_in_memory)
{
	_cleanup_promise_ Promise promise = { 0 };
	Id fingerprint = { .bytes = { 1, 1 } };
	Run *run;

	host_begin();
	host_expect("r", PROMISE_NONE);
	run = host_run(HOST_TRANSFER, "r", 1);
	promise = host_find("r", 1);
	ck_assert_int_eq(promise.kind, PROMISE_RUN);
	ck_assert_ptr_eq(promise.run, run);
	ck_assert_int_eq(host_find("r", 2).kind, PROMISE_OTHER);
	ck_assert_int_eq(promises_find(&host.promises, 1001, "r", &fingerprint, &promise), 0);
	ck_assert_int_eq(promise.kind, PROMISE_NONE);
	host_expect("s", PROMISE_NONE);
	promises_leave(&host.promises, run);
	host_expect("r", PROMISE_NONE);
	run_free(run);
	host_close();
}
END_TEST

START_TEST(a_run_that_was_never_entered_takes_nobody_out_of_the_index)
{
	Run *first, *second = NULL;
	const Peer peer = { .uid = 1000 };

	host_begin();
	first = host_run(HOST_TRANSFER, "r", 1);
	ck_assert_int_eq(run_new(&host_programs[0], &peer, &second), 0);
	second->request_id = strdup("r");
	ck_assert_int_eq(promises_enter(&host.promises, second), -EEXIST);
	promises_leave(&host.promises, second);
	ck_assert_ptr_eq(host_find("r", 1).run, first);
	run_free(second);
	promises_leave(&host.promises, first);
	run_free(first);
	host_close();
}
END_TEST

START_TEST(many_request_ids_are_told_apart)
{
	Run *runs[300];
	char text[16];

	host_begin();
	for (unsigned i = 0; i < ELEMENTSOF(runs); i++) {
		snprintf(text, sizeof(text), "r%u", i * 7919 % 1000);
		runs[i] = host_run(HOST_TRANSFER, text, i);
	}
	for (unsigned i = 0; i < ELEMENTSOF(runs); i += 2) {
		promises_leave(&host.promises, runs[i]);
		runs[i] = run_free(runs[i]);
	}
	for (unsigned i = 0; i < ELEMENTSOF(runs); i++) {
		snprintf(text, sizeof(text), "r%u", i * 7919 % 1000);
		ck_assert_ptr_eq(host_find(text, i).run, runs[i]);
	}
	for (unsigned i = 1; i < ELEMENTSOF(runs); i += 2) {
		promises_leave(&host.promises, runs[i]);
		run_free(runs[i]);
	}
	host_close();
}
END_TEST

START_TEST(a_stored_reply_is_the_same_byte_for_byte_and_only_for_the_same_body)
{
	host_begin();
	host_end(host_run(HOST_TRANSFER, "r", 1), WALK_SUCCEEDED, HOST_DONE);
	host_sync();
	host_settle();
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_promise_ Promise other = host_find("r", 2);

		host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
		ck_assert_int_eq(other.kind, PROMISE_OTHER);
		host_close();
		host_open();
	}
	host_close();
}
END_TEST

START_TEST(a_parked_run_answers_its_present_status)
{
	host_begin();
	host_end(host_run(HOST_TRANSFER, "r", 1), WALK_PARKED, HOST_PARKED);
	host_sync();
	host_settle();
	host_expect_ended("r", LEDGER_PARKED, HOST_PARKED);
	host_close();
}
END_TEST

START_TEST(counts_are_right_from_the_start)
{
	Run *run;

	host_begin();
	host_submit("a");
	host_submit("b");
	host_end(host_run(HOST_TRANSFER, "c", 1), WALK_PARKED, HOST_PARKED);
	host_sync();
	host_settle();
	host_close();
	host_open();
	ck_assert_uint_eq(host.promises.n_submitted, 2);
	ck_assert_uint_eq(host.promises.n_parked, 1);
	run = host_submit("d");
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 3);
	queue_take(&host.queue, run);
	host_end(run, WALK_PARKED, HOST_PARKED);
	host_sync();
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 2);
	ck_assert_uint_eq(host.promises.n_parked, 2);
	host_close();
}
END_TEST

START_TEST(a_hold_outlives_the_daemon)
{
	const LedgerHold hold = { .held = true, .uid = 0, .reason = "a disk is changed", .usec = 1 };

	host_begin();
	ck_assert(!host.promises.held);
	ck_assert_int_eq(DESK_DO(host.promises.ledger, ledger_hold, &hold), 0);
	host_close();
	host_open();
	ck_assert(host.promises.held);
	host_close();
}
END_TEST

START_TEST(what_is_beyond_retention_is_forgotten_to_the_last_one)
{
	LedgerCounts counts;

	host_begin();
	for (unsigned i = 0; i < 2500; i++) {
		LedgerRun run = desk_end(i, LEDGER_SUCCEEDED, NULL);

		run.promised = false;
		run.ended_usec = clock_realtime();
		ck_assert_int_eq(ledger_finish(host.promises.ledger, &run, NULL, NULL), 0);
	}
	host_submit("r");
	host_end(host_run(HOST_TRANSFER, "p", 1), WALK_PARKED, HOST_PARKED);
	host_end(host_run(HOST_TRANSFER, "s", 1), WALK_SUCCEEDED, HOST_DONE);
	host_sync();
	host_settle();
	host.config.keep_runs = 3;
	promises_check(&host.promises, 1);
	host_settle();
	ck_assert_int_eq(ledger_counts(host.promises.ledger, &counts), 0);
	ck_assert_uint_eq(counts.runs[LEDGER_SUCCEEDED], 3 + 1);
	ck_assert_uint_eq(counts.runs[LEDGER_QUEUED], 1);
	ck_assert_uint_eq(counts.runs[LEDGER_PARKED], 1);
	host_expect_ended("s", LEDGER_SUCCEEDED, HOST_DONE);
	host.config.keep_runs = 1;
	promises_check(&host.promises, PROMISES_FORGET_USEC);
	ck_assert_uint_eq(ledger_under_way(host.promises.ledger), 0);
	promises_check(&host.promises, PROMISES_FORGET_USEC + 1);
	host_settle();
	ck_assert_int_eq(ledger_counts(host.promises.ledger, &counts), 0);
	ck_assert_uint_eq(counts.runs[LEDGER_SUCCEEDED], 1 + 1);
	host_close();
}
END_TEST

CHECK_MAIN(promises, a_request_id_stands_for_its_run_while_that_is_in_memory,
	   a_run_that_was_never_entered_takes_nobody_out_of_the_index, many_request_ids_are_told_apart,
	   a_stored_reply_is_the_same_byte_for_byte_and_only_for_the_same_body, a_parked_run_answers_its_present_status,
	   counts_are_right_from_the_start, a_hold_outlives_the_daemon,
	   what_is_beyond_retention_is_forgotten_to_the_last_one)
