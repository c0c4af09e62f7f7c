/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that have ended, and a recorder that another one takes the place of: after a failed sync, or because it is
 * full; and what the daemon parked itself. */
#include "check_main.h"

#include "base/clock.h"
#include "ledger_faults.h"
#include "promise_host.h"

START_TEST(after_a_failed_sync_nobody_is_answered_before_a_new_recorder_holds_the_end)
{
	_cleanup_free_ RecorderKept *kept = NULL;
	size_t n = 0;
	Run *run;

	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	outcomes_distrust(&host.outcomes);
	ck_assert_str_eq(host_read(0), "");
	ck_assert(connection_at_end(&host.connections[0]));
	host_attach(run, 1, WAITER_REPLY);
	host_sync_wishes = 0;
	host_sync(); /* a later sync of the same file proves nothing */
	ck_assert_str_eq(host_read(1), "");
	ck_assert_uint_eq(host_sync_wishes, 0);
	ck_assert_uint_eq(ledger_under_way(host.promises.ledger), 0);
	ck_assert_int_eq(outcomes_keep(&host.outcomes, &kept, &n), 0);
	ck_assert_uint_eq(n, 1);
	host_renew(kept, n);
	outcomes_moved(&host.outcomes, kept);
	outcomes_step(&host.outcomes, 0);
	ck_assert_str_eq(host_read(1), host_line(run, HOST_DONE));
	host_settle();
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_close();
}
END_TEST

START_TEST(a_failed_sync_keeps_no_run_of_durability_process_from_its_answer)
{
	Run *run;

	host_begin();
	outcomes_distrust(&host.outcomes);
	run = host_run(HOST_QUICK, NULL, 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, HOST_DONE);
	ck_assert_ptr_nonnull(strstr(host_read(0), HOST_DONE));
	host_close();
}
END_TEST

START_TEST(a_new_recorder_holds_all_that_waits_and_nothing_that_does_not)
{
	RecorderKept *kept = calloc(1, sizeof(*kept)); /* somebody else's comes first */
	Run *stored, *storing, *unsynced;
	size_t n = 1, offset;
	Record record;

	host_begin();
	stored = host_run(HOST_TRANSFER, "a", 1);
	host_end(stored, WALK_SUCCEEDED, HOST_DONE);
	host_sync();
	host_settle();
	storing = host_run(HOST_TRANSFER, "b", 1);
	host_end(storing, WALK_PARKED, HOST_PARKED);
	host_sync();
	unsynced = host_run(HOST_TRANSFER, NULL, 1);
	host_attach(unsynced, 0, WAITER_REPLY);
	host_end(unsynced, WALK_SUCCEEDED, HOST_OTHER);
	ck_assert_int_eq(outcomes_keep(&host.outcomes, &kept, &n), 0);
	ck_assert_uint_eq(n, 3);
	host_renew(kept + 1, n - 1);
	outcomes_moved(&host.outcomes, kept);
	free(kept);
	offset = unsynced->offset;
	ck_assert_int_eq(record_read(host.recorder.file.base, HOST_RECORDER_SIZE, offset, HOST_NUMBER,
				     RECORD_SEQUENCE_ANY, &record),
			 0);
	ck_assert_int_eq(record.kind, RECORD_START);
	ck_assert_uint_eq(storing->end < unsynced->end ? unsynced->end : storing->end, host_tail());
	outcomes_step(&host.outcomes, 0);
	ck_assert_ptr_nonnull(strstr(host_read(0), HOST_OTHER));
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	host_close();
}
END_TEST

START_TEST(what_no_recorder_holds_any_more_is_answered_to_nobody_and_still_stored)
{
	Run *plain, *promised, *parked;
	Id id;

	host_begin();
	plain = host_run(HOST_TRANSFER, NULL, 1);
	promised = host_run(HOST_TRANSFER, "r", 1);
	parked = host_run(HOST_TRANSFER, NULL, 1);
	id = parked->id;
	host_attach(plain, 0, WAITER_REPLY);
	host_attach(promised, 1, WAITER_REPLY);
	host_end(plain, WALK_SUCCEEDED, HOST_DONE);
	host_end(promised, WALK_SUCCEEDED, HOST_DONE);
	host_end(parked, WALK_PARKED, HOST_PARKED);
	outcomes_distrust(&host.outcomes);
	outcomes_forsake(&host.outcomes);
	host_new_recorder();
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(host_read(i), "");
		ck_assert(connection_at_end(&host.connections[i]));
	}
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	host_expect_ended("r", LEDGER_SUCCEEDED, HOST_DONE);
	host_expect_parked(&id);
	host_close();
}
END_TEST

/* One that the daemon parked itself: the recorder in use does not hold it as such. */
static Run *park_durably(void)
{
	Run *run = host_run(HOST_TRANSFER, NULL, 1);
	RecordFinish finish;
	Record record;
	size_t offset, end;

	host_record(run, WALK_PARKED, HOST_PARKED, &finish);
	end = host_tail();
	for (offset = run->offset; offset < end; offset += record.size) {
		ck_assert_int_eq(record_read(host.recorder.file.base, HOST_RECORDER_SIZE, offset, HOST_NUMBER,
					     RECORD_SEQUENCE_ANY, &record),
				 0);
		record_pack(record.kind, record.content, record.content_size, &run->records);
	}
	buffer_append(&run->reply, HOST_PARKED, strlen(HOST_PARKED));
	run->status = WALK_PARKED;
	run->offset = run->end = 0;
	run->ended_realtime_usec = clock_realtime();
	return run;
}

START_TEST(a_run_that_the_daemon_parked_is_answered_and_stored)
{
	Run *run;
	Id id;

	host_begin();
	run = park_durably();
	id = run->id;
	host_attach(run, 0, WAITER_CALL);
	outcomes_add_durable(&host.outcomes, run);
	ck_assert_ptr_nonnull(strstr(host_read(0), "{\"result\":{\"run\":\""));
	ck_assert_uint_eq(host.outcomes.counts[WALK_PARKED], 1);
	host_settle();
	host_expect_parked(&id);
	host_close();
}
END_TEST

START_TEST(records_that_a_new_recorder_is_being_made_of_outlive_their_run)
{
	_cleanup_free_ RecorderKept *kept = NULL;
	size_t n = 0;
	Run *run;

	host_begin();
	run = park_durably();
	outcomes_add_durable(&host.outcomes, run);
	ck_assert_int_eq(outcomes_keep(&host.outcomes, &kept, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_nonnull(kept[0].packed);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	ck_assert(!outcomes_pending(&host.outcomes));
	host_renew(kept, n);
	outcomes_moved(&host.outcomes, kept);
	ck_assert(TAILQ_EMPTY(&host.outcomes.lent));
	host_close();
}
END_TEST

START_TEST(packed_records_have_a_place_once_a_new_recorder_holds_them)
{
	_cleanup_free_ RecorderKept *kept = NULL;
	size_t n = 0;
	Run *run;

	faults_install();
	host_begin();
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	run = park_durably();
	outcomes_add_durable(&host.outcomes, run);
	host_settle();
	for (unsigned i = 0; i < 2; i++) {
		n = 0;
		ck_assert_int_eq(outcomes_keep(&host.outcomes, &kept, &n), 0);
		ck_assert_uint_eq(n, 1);
		ck_assert((kept[0].packed != NULL) == (i == 0));
		host_renew(kept, n);
		outcomes_moved(&host.outcomes, kept);
		ck_assert_uint_eq(run->end, host_tail());
	}
	faults_clear();
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	host_close();
}
END_TEST

/* As where there was no memory for the reply when its record was read. */
START_TEST(a_reply_that_is_looked_for_in_the_records_is_the_last_one)
{
	RecordFinish parked, finish;
	size_t offset;
	Run *run;

	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_record(run, WALK_PARKED, HOST_PARKED, &parked);
	offset = run->offset;
	host_record(run, WALK_RECTIFIED, HOST_DONE, &finish);
	run->offset = offset;
	finish.reply = NULL;
	finish.reply_size = 0;
	outcomes_add(&host.outcomes, run, &finish, host_tail());
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, HOST_DONE));
	host_settle();
	host_close();
}
END_TEST

CHECK_MAIN(outcomes_moved, a_reply_that_is_looked_for_in_the_records_is_the_last_one,
	   what_no_recorder_holds_any_more_is_answered_to_nobody_and_still_stored,
	   after_a_failed_sync_nobody_is_answered_before_a_new_recorder_holds_the_end,
	   a_failed_sync_keeps_no_run_of_durability_process_from_its_answer,
	   a_new_recorder_holds_all_that_waits_and_nothing_that_does_not,
	   a_run_that_the_daemon_parked_is_answered_and_stored,
	   records_that_a_new_recorder_is_being_made_of_outlive_their_run,
	   packed_records_have_a_place_once_a_new_recorder_holds_them)
