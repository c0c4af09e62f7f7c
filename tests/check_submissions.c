/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Submissions: answered when they are durable and not before, whatever the disk does and whenever the process dies. */
#include "check_main.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "dice.h"
#include "ledger_faults.h"
#include "promise_host.h"

#define QUEUED "\"program\":\"transfer\",\"success\":null,\"status\":\"queued\",\"data_pool\":{},\"error\":null}"
#define KILLS 60U

START_TEST(a_submission_is_answered_and_queued_when_it_is_durable_and_not_before)
{
	sqlite3 *lock;
	Run *run;

	host_begin();
	lock = desk_lock();
	run = host_submit("r");
	ck_assert_int_eq(run->state, RUN_PROMISING);
	ck_assert_str_eq(host_read(0), "");
	ck_assert_uint_eq(host.queue.n, 0);
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	host_expect("r", PROMISE_RUN);
	desk_unlock(lock);
	host_settle();
	ck_assert_str_eq(host_read(0), host_line(run, QUEUED));
	ck_assert_ptr_eq(queue_first(&host.queue), run);
	ck_assert(run->submitted);
	ck_assert_uint_eq(host.promises.n_submitted, 1);
	host_expect("r", PROMISE_RUN);
	host_close();
}
END_TEST

START_TEST(whoever_joins_a_submission_gets_what_they_asked_for)
{
	sqlite3 *lock;
	Run *run;

	host_begin();
	lock = desk_lock();
	run = host_submit("r");
	host_attach(run, 1, WAITER_REPLY);
	host_attach(run, 2, WAITER_QUEUED);
	host_attach(run, 3, WAITER_REPLY);
	host.connections[3].fd = fd_close(host.connections[3].fd);
	connection_turn(&host.connections[3]);
	desk_unlock(lock);
	host_settle();
	ck_assert_str_eq(host_read(0), host_line(run, QUEUED));
	ck_assert_str_eq(host_read(1), "");
	ck_assert_str_eq(host_read(2), host_line(run, QUEUED));
	ck_assert_ptr_eq(queue_pop(&host.queue), run);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	host_sync();
	ck_assert_str_eq(host_read(1), host_line(run, HOST_DONE));
	ck_assert_str_eq(host_read(0), "");
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_submission_that_finds_no_room_is_refused_and_its_request_id_is_free)
{
	const char *text;

	faults_install();
	host_begin();
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	host_submit("r");
	host_settle();
	text = host_read(0);
	ck_assert_ptr_nonnull(strstr(text, "\"status\":\"refused\""));
	ck_assert_ptr_nonnull(strstr(text, "\"StoreDamaged\""));
	ck_assert_ptr_nonnull(strstr(text, "\"retry\":true"));
	ck_assert_uint_eq(host.queue.n, 0);
	host_expect("r", PROMISE_NONE);
	faults_clear();
	host_submit("r");
	host_settle();
	ck_assert_uint_eq(host.queue.n, 1);
	host_close();
}
END_TEST

START_TEST(a_submission_whose_sync_failed_may_yet_be_found_and_is_not_answered)
{
	faults_install();
	host_begin();
	faults_set(FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
	host_submit("r");
	host_settle();
	ck_assert_str_eq(host_read(0), "");
	ck_assert(connection_at_end(&host.connections[0]));
	host_expect("r", PROMISE_NONE);
	faults_clear();
	host_close();
}
END_TEST

START_TEST(with_a_damaged_ledger_nothing_is_promised)
{
	faults_install();
	host_begin();
	faults_set(FAULT_WRITE, 1, SQLITE_CORRUPT, true);
	host_submit("r");
	host_settle();
	faults_clear();
	ck_assert_ptr_nonnull(strstr(host_read(0), "is damaged"));
	ck_assert_ptr_nonnull(promises_problem(&host.promises));
	host_submit(NULL);
	ck_assert_uint_eq(ledger_under_way(host.promises.ledger), 0);
	ck_assert_ptr_nonnull(strstr(host_read(0), "is damaged"));
	host_close();
}
END_TEST

START_TEST(a_submission_that_is_refused_frees_its_request_id_for_the_next_one)
{
	Run *run;

	host_begin();
	run = host_submit("r");
	host_settle();
	run->start_by_usec = 1;
	host.queue.n_limited++;
	queue_expire(&host.queue, 2);
	host_expect("r", PROMISE_NONE);
	run = host_submit("r");
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 1);
	ck_assert_ptr_eq(queue_first(&host.queue), run);
	host_close();
}
END_TEST

static void on_refused(void *context, int r)
{
	*(int *)context = r;
}

START_TEST(a_refusal_that_cannot_be_written_is_tried_again_and_until_then_its_id_is_not_free)
{
	int result = 1;
	Run *run;

	faults_install();
	host_begin();
	run = host_submit("r");
	host_settle();
	queue_take(&host.queue, run);
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	ck_assert_int_eq(promises_refuse(&host.promises, &run->id, ERROR_CANCELLED, on_refused, &result), 0);
	promises_leave(&host.promises, run);
	run_free(run);
	host_expect("r", PROMISE_NONE);
	host_settle();
	ck_assert_int_eq(result, 1);
	host_expect("r", PROMISE_LATER);
	ck_assert(promises_waits(&host.promises));
	faults_clear();
	promises_check(&host.promises, host.promises.refuse_at_usec);
	host_settle();
	ck_assert_int_eq(result, 0);
	host_expect("r", PROMISE_NONE);
	ck_assert(!promises_waits(&host.promises));
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	host_close();
}
END_TEST

START_TEST(who_waits_for_a_refusal_is_told_at_the_end_that_it_was_not_written)
{
	int results[2] = { 1, 1 };
	Run *run;

	faults_install();
	host_begin();
	run = host_submit("r");
	host_settle();
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(promises_refuse(&host.promises, &run->id, ERROR_CANCELLED, on_refused, &results[i]),
				 0);
	promises_disown(&host.promises, &results[1]);
	host_settle();
	faults_clear();
	host_close();
	ck_assert_int_eq(results[0], -ESHUTDOWN);
	ck_assert_int_eq(results[1], 1);
}
END_TEST

START_TEST(what_the_ledger_alone_says_of_an_unfinished_run_is_not_the_whole_truth)
{
	host_begin();
	host_submit("r");
	host_settle();
	host_close();
	host_open();
	host_expect("r", PROMISE_LATER);
	ck_assert_uint_eq(host.promises.n_submitted, 1);
	host_close();
}
END_TEST

/* A daemon that submits one after another, and says on \p told which its client has heard of. */
static void victim_live(int told)
{
	char request_id[16];

	host_open();
	for (unsigned n = 0;; n++) {
		snprintf(request_id, sizeof(request_id), "%u", n);
		host_submit(request_id);
		host_settle();
		if (!strstr(host_read(0), "\"queued\""))
			_exit(2);
		if (write(told, &n, sizeof(n)) != sizeof(n))
			_exit(3);
	}
}

/* The last that its client heard of when it was killed. */
static unsigned victim_kill(Dice *dice)
{
	unsigned n = 0, wanted = 1 + (unsigned)dice_below(dice, 20);
	int ends[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		victim_live(ends[1]);
	close(ends[1]);
	while (n < wanted)
		ck_assert_int_eq(read(ends[0], &n, sizeof(n)), sizeof(n));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	while (read(ends[0], &n, sizeof(n)) == sizeof(n))
		continue;
	close(ends[0]);
	return n;
}

START_TEST(after_a_kill_the_ledger_has_each_submission_whose_client_was_answered)
{
	Dice dice = dice_take("promises");
	char request_id[16];

	for (unsigned i = 0; i < KILLS; i++) {
		unsigned last;

		scratch_reset();
		scratch_path("");
		last = victim_kill(&dice);
		host_open();
		for (unsigned n = 0; n <= last; n++) {
			_cleanup_promise_ Promise promise = { 0 };

			snprintf(request_id, sizeof(request_id), "%u", n);
			promise = host_find(request_id, 1);
			ck_assert_int_eq(promise.kind, PROMISE_LATER);
			ck_assert_int_eq(promise.found.run.state, LEDGER_QUEUED);
			ck_assert(!promise.found.run.under_way);
		}
		ck_assert_uint_ge(host.promises.n_submitted, last + 1);
		ck_assert_uint_le(host.promises.n_submitted, last + 2);
		host_close();
	}
}
END_TEST

CHECK_MAIN(submissions, a_submission_is_answered_and_queued_when_it_is_durable_and_not_before,
	   whoever_joins_a_submission_gets_what_they_asked_for,
	   a_submission_that_finds_no_room_is_refused_and_its_request_id_is_free,
	   a_submission_whose_sync_failed_may_yet_be_found_and_is_not_answered,
	   with_a_damaged_ledger_nothing_is_promised,
	   a_submission_that_is_refused_frees_its_request_id_for_the_next_one,
	   a_refusal_that_cannot_be_written_is_tried_again_and_until_then_its_id_is_not_free,
	   who_waits_for_a_refusal_is_told_at_the_end_that_it_was_not_written,
	   what_the_ledger_alone_says_of_an_unfinished_run_is_not_the_whole_truth,
	   after_a_kill_the_ledger_has_each_submission_whose_client_was_answered)
