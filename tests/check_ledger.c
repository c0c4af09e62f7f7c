/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include "tests/ledger_desk.h"

#define REPLY "\"program\":\"even\",\"status\":\"succeeded\"}\n"

START_TEST(a_submission_is_in_the_queue_until_its_outcome_is_stored)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ck_assert_int_eq(desk_submit(ledger, 2, "two"), 0);
	ck_assert_int_eq(desk_submit(ledger, 3, NULL), 0);
	ledger = desk_reopen(ledger);
	DeskList queue = desk_queue(ledger);
	desk_expect(&queue, 1, 2, 3);
	ck_assert_int_eq(desk_finish(ledger, 2, LEDGER_SUCCEEDED, REPLY), 0);
	queue = desk_queue(ledger);
	desk_expect(&queue, 1, 3);
	ledger = desk_reopen(ledger);
	queue = desk_queue(ledger);
	desk_expect(&queue, 1, 3);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

static int on_whole(void *context, const LedgerRun *run)
{
	const LedgerRun expected = desk_submission(4, "the id");
	unsigned *n = context;

	++*n;
	ck_assert(id_equal(&run->run, &expected.run));
	ck_assert_int_eq(run->state, LEDGER_QUEUED);
	ck_assert_uint_eq(run->uid, expected.uid);
	ck_assert_uint_eq(run->gid, expected.gid);
	ck_assert_uint_eq(run->pid, expected.pid);
	ck_assert_str_eq(run->request_id, "the id");
	ck_assert(id_equal(&run->fingerprint, &expected.fingerprint));
	ck_assert_str_eq(run->program, "even");
	ck_assert(id_equal(&run->module, &expected.module));
	ck_assert_str_eq(run->build_id, "c0ffee");
	ck_assert_uint_eq(run->flags, LEDGER_FLAG_WAIT);
	ck_assert_uint_eq(run->start_by_usec, 77);
	ck_assert_uint_eq(run->submitted_usec, 1004);
	ck_assert(run->promised && run->has_arguments);
	ck_assert_mem_eq(run->arguments, "arguments\0secret", 16);
	ck_assert_uint_eq(run->arguments_size, 16);
	ck_assert_str_eq(run->metadata, "{\"ticket\":\"T-7\"}");
	return 0;
}

START_TEST(a_submission_comes_back_as_it_was_handed_in)
{
	Ledger *ledger = desk_begin();
	unsigned n = 0;

	ck_assert_int_eq(desk_submit(ledger, 4, "the id"), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_take(ledger, on_whole, &n), 0);
	ck_assert_uint_eq(n, 1);
	ledger_close(ledger);
}
END_TEST

static int on_empty(void *context, const LedgerRun *run)
{
	(void)context;
	ck_assert(run->has_arguments);
	ck_assert_uint_eq(run->arguments_size, 0);
	ck_assert_ptr_null(run->metadata);
	ck_assert_ptr_null(run->build_id);
	return -ECANCELED;
}

START_TEST(an_empty_pool_is_kept_as_one_and_a_callback_ends_a_look_up)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);

	run.arguments = NULL;
	run.arguments_size = 0;
	run.metadata = run.build_id = NULL;
	ck_assert_int_eq(DESK_DO(ledger, ledger_submit, &run), 0);
	ck_assert_int_eq(ledger_take(ledger, on_empty, NULL), -ECANCELED);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_request_id_stands_for_one_run_of_its_user)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_submit(ledger, 3, "same"), 0);
	ck_assert_int_eq(desk_submit(ledger, 6, "same"), -EEXIST);
	ck_assert_int_eq(desk_submit(ledger, 4, "same"), 0);
	expect_request(ledger, 1000, "same", 3, LEDGER_QUEUED);
	expect_request(ledger, 1001, "same", 4, LEDGER_QUEUED);
	expect_no_request(ledger, 1002, "same");
	expect_no_request(ledger, 1000, "sam");
	ck_assert_int_eq(desk_finish(ledger, 3, LEDGER_RECTIFIED, REPLY), 0);
	ck_assert_int_eq(desk_submit(ledger, 6, "same"), -EEXIST);
	expect_request(ledger, 1000, "same", 3, LEDGER_RECTIFIED);
	ck_assert_int_eq(desk_submit(ledger, 3, NULL), -EEXIST);
	ck_assert_int_eq(desk_state(ledger, 6), DESK_ABSENT);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_stored_reply_is_the_same_byte_for_byte_after_a_restart)
{
	static const char reply[] = "\"program\":\"p\",\"data_pool\":{\"x\":\"\\u0000\"}}\n";
	Ledger *ledger = desk_begin();
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	ck_assert_int_eq(desk_submit(ledger, 3, "r"), 0);
	ck_assert_int_eq(desk_finish(ledger, 3, LEDGER_SUCCEEDED, reply), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_find_request(ledger, 1000, "r", &found), 0);
	ck_assert_uint_eq(found.run.reply_size, strlen(reply));
	ck_assert_mem_eq(found.run.reply, reply, strlen(reply));
	ck_assert(!found.run.under_way && !found.run.has_arguments);
	ck_assert_uint_eq(found.run.submitted_usec, 1003);
	ck_assert_uint_eq(found.run.begun_usec, 2003);
	ck_assert_uint_eq(found.run.ended_usec, 3003);
	ledger_close(ledger);
}
END_TEST

START_TEST(what_was_submitted_is_not_changed_by_its_outcome)
{
	Ledger *ledger = desk_begin();
	LedgerRun end = {
		.run = desk_id(3), .state = LEDGER_RECTIFIED, .ended_usec = 5, .error = ERROR_HOOK_FAILED, .step = 2
	};
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	ck_assert_int_eq(desk_submit(ledger, 3, "r"), 0);
	ck_assert_int_eq(DESK_DO(ledger, ledger_finish, &end), 0);
	ck_assert_int_eq(ledger_find(ledger, &end.run, &found), 0);
	ck_assert_str_eq(found.run.program, "odd");
	ck_assert_str_eq(found.run.request_id, "r");
	ck_assert_uint_eq(found.run.uid, 1000);
	ck_assert(found.run.promised);
	ck_assert_int_eq(found.run.error, ERROR_HOOK_FAILED);
	ck_assert_uint_eq(found.run.step, 2);
	ck_assert_ptr_null(found.run.reply);
	ledger_close(ledger);
}
END_TEST

START_TEST(an_outcome_is_final)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_SUCCEEDED, REPLY), 0);
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_RECTIFIED, "other"), -EALREADY);
	ck_assert_int_eq(desk_park(ledger, 1, "records"), -EALREADY);
	ck_assert_int_eq(desk_resume(ledger, 1), -EALREADY);
	ck_assert_int_eq(desk_decide(ledger, 1, 0, LEDGER_RETRY), -ESTALE);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(an_outcome_without_a_submission_brings_its_request_id)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_end(3, LEDGER_SUCCEEDED, REPLY);

	run.request_id = "late";
	ck_assert_int_eq(DESK_DO(ledger, ledger_finish, &run), 0);
	expect_request(ledger, 1000, "late", 3, LEDGER_SUCCEEDED);
	run.run = desk_id(6);
	ck_assert_int_eq(DESK_DO(ledger, ledger_finish, &run), -EEXIST);
	ck_assert_int_eq(desk_state(ledger, 6), DESK_ABSENT);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_refusal_sets_the_request_id_free)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_submit(ledger, 3, "again"), 0);
	ck_assert_int_eq(desk_finish(ledger, 3, LEDGER_REFUSED, NULL), 0);
	expect_no_request(ledger, 1000, "again");
	ck_assert_int_eq(desk_state(ledger, 3), LEDGER_REFUSED);
	ck_assert_int_eq(desk_submit(ledger, 6, "again"), 0);
	expect_request(ledger, 1000, "again", 6, LEDGER_QUEUED);
	ledger_close(ledger);
}
END_TEST

START_TEST(what_makes_no_sense_or_is_too_large_is_not_taken)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);
	const LedgerRun good = run;
	char id[LEDGER_TEXT_MAX + 2];

	memset(id, 'x', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	run.request_id = id;
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), -E2BIG);
	id[sizeof(id) - 2] = '\0';
	ck_assert_int_eq(DESK_DO(ledger, ledger_submit, &run), 0);
	run = good;
	run.arguments_size = (size_t)LEDGER_BLOB_MAX + 1;
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), -E2BIG);
	run = good;
	run.program = NULL;
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), -EINVAL);
	run = good;
	ck_assert_int_eq(ledger_finish(ledger, &run, NULL, NULL), -EINVAL);
	ck_assert_int_eq(ledger_park(ledger, &run, NULL, NULL), -EINVAL);
	ck_assert_int_eq(ledger_remember(ledger, &run), -EINVAL);
	run.run = (Id){ 0 };
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), -EINVAL);
	ck_assert_uint_eq(ledger_under_way(ledger), 0);
	ledger_close(ledger);
}
END_TEST

static int on_module(void *context, const Id *module)
{
	Id *found = context;

	for (size_t i = 0; i < 4; i++)
		if (id_equal(&found[i], module))
			return 0;
	for (size_t i = 0; i < 4; i++)
		if (id_is_null(&found[i])) {
			found[i] = *module;
			return 0;
		}
	return -E2BIG;
}

START_TEST(the_modules_of_all_runs_are_known_on_the_disk_and_on_their_way)
{
	const Id one = { .bytes = { 1 } }, other = { .bytes = { 2 } }, third = { .bytes = { 3 } };
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);
	Id found[4] = { 0 };

	run.module = one;
	ck_assert_int_eq(DESK_DO(ledger, ledger_submit, &run), 0);
	run = desk_submission(2, NULL);
	run.module = other;
	ck_assert_int_eq(ledger_submit(ledger, &run, NULL, NULL), 0);
	run = desk_end(3, LEDGER_SUCCEEDED, "reply");
	run.module = third;
	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
	ck_assert_int_eq(ledger_modules(ledger, on_module, found), 0);
	ck_assert(!id_is_null(&found[2]) && id_is_null(&found[3]));
	ck_assert_int_eq(on_module(found, &one) + on_module(found, &other) + on_module(found, &third), 0);
	ck_assert(id_is_null(&found[3]));
	ledger_close(ledger);
}
END_TEST

START_TEST(a_run_that_another_module_ran_is_that_modules)
{
	const Id other = { .bytes = { 9 } };
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	Ledger *ledger = desk_begin();
	LedgerRun end = desk_end(1, LEDGER_SUCCEEDED, "reply");

	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	end.module = other;
	end.build_id = "beef";
	ck_assert_int_eq(DESK_DO(ledger, ledger_finish, &end), 0);
	ck_assert_int_eq(ledger_find(ledger, &end.run, &found), 0);
	ck_assert(id_equal(&found.run.module, &other));
	ck_assert_str_eq(found.run.build_id, "beef");
	ledger_close(ledger);
}
END_TEST

CHECK_MAIN(ledger, the_modules_of_all_runs_are_known_on_the_disk_and_on_their_way,
	   a_run_that_another_module_ran_is_that_modules, a_submission_is_in_the_queue_until_its_outcome_is_stored,
	   a_submission_comes_back_as_it_was_handed_in, an_empty_pool_is_kept_as_one_and_a_callback_ends_a_look_up,
	   a_request_id_stands_for_one_run_of_its_user, a_stored_reply_is_the_same_byte_for_byte_after_a_restart,
	   what_was_submitted_is_not_changed_by_its_outcome, an_outcome_is_final,
	   an_outcome_without_a_submission_brings_its_request_id, a_refusal_sets_the_request_id_free,
	   what_makes_no_sense_or_is_too_large_is_not_taken)
