/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a run's end to the moment when nothing of it is needed any more: synced, answered, stored; and what a failing
 * disk makes of that. */
#include "check_main.h"

#include "base/clock.h"
#include "ledger_faults.h"
#include "promise_host.h"

#define DONE "\"program\":\"transfer\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{},\"error\":null}"
#define OTHER "\"program\":\"transfer\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{\"n\":1},\"error\":null}"
#define PARKED                                                                                            \
	"\"program\":\"transfer\",\"success\":false,\"status\":\"parked\",\"data_pool\":{},\"error\":{},"   \
	"\"parked\":{\"name\":\"RectifierFailed\",\"step\":2,\"hook\":\"h\",\"message\":\"it did not work\"}}"

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
	host_end(run, WALK_SUCCEEDED, DONE);
	ck_assert_ptr_nonnull(strstr(host_read(0), DONE "\n"));
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
	host_end(run, WALK_RECTIFIED, DONE);
	host_synced = host_tail() - 8;
	outcomes_step(&host.outcomes, 0);
	ck_assert_uint_eq(host_sync_wishes, 1);
	ck_assert_str_eq(host_read(0), "");
	ck_assert_ptr_eq(outcomes_find(&host.outcomes, &run->id), run);
	ck_assert_uint_eq(host.n_ended, 0);
	host_sync();
	ck_assert_ptr_nonnull(strstr(host_read(0), DONE "\n"));
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
		host_end(runs[i], WALK_SUCCEEDED, DONE);
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
	host_end(first, WALK_SUCCEEDED, DONE);
	host_end(second, WALK_SUCCEEDED, DONE);
	host_sync();
	host_close();
	host_open();
	ck_assert_int_eq(ledger_find(host.promises.ledger, &ids[0], &plain), 0);
	ck_assert_uint_eq(plain.run.reply_size, strlen(DONE));
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
	host_end(run, WALK_SUCCEEDED, DONE);
	host_expect("r", PROMISE_RUN);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, DONE));
	ck_assert(outcomes_pending(&host.outcomes));
	ck_assert_int_eq(run->state, RUN_STORING);
	host_expect("r", PROMISE_RUN);
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	ck_assert_int_eq(ledger_state_of(&id), LEDGER_SUCCEEDED);
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
	host_close();
	host_open();
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
	host_close();
}
END_TEST

START_TEST(a_promised_run_of_durability_process_is_answered_at_once_and_stored)
{
	Run *run;

	host_begin();
	run = host_run(HOST_QUICK, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, DONE);
	ck_assert_str_eq(host_read(0), host_line(run, DONE));
	ck_assert_uint_eq(host_sync_wishes, 0);
	host_settle();
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
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
	host_end(run, WALK_SUCCEEDED, DONE);
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, DONE));
	host_settle();
	ck_assert_uint_gt(faults.n_failed, 0);
	ck_assert_uint_eq(run->store_failures, 1);
	host_expect("r", PROMISE_RUN);
	ck_assert_mem_eq(run->reply.data, DONE, strlen(DONE));
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
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
	host_close();
}
END_TEST

START_TEST(a_ledger_that_is_damaged_is_not_asked_again_and_the_answer_stays_in_memory)
{
	Run *run;

	faults_install();
	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_end(run, WALK_SUCCEEDED, DONE);
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
	before = desk_end(1, LEDGER_SUCCEEDED, DONE);
	before.run = run->id;
	before.uid = 1000;
	before.request_id = "r";
	before.fingerprint = run->fingerprint;
	ck_assert_int_eq(DESK_DO(host.promises.ledger, ledger_finish, &before), 0);
	host_end(run, WALK_RECTIFIED, OTHER);
	host_sync();
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
	host_close();
}
END_TEST

typedef struct Seen {
	RecordKind kinds[8];
	size_t n;
	uint32_t step;
	ErrorCode error;
} Seen;

static int on_unparked(void *context, const LedgerRun *run)
{
	Seen *seen = context;
	size_t offset = 0;
	Record record;
	int r;

	while ((r = record_unpack(run->records, run->records_size, &offset, &record)) > 0)
		seen->kinds[seen->n++] = record.kind;
	ck_assert_int_eq(r, 0);
	seen->step = run->step;
	seen->error = run->error;
	return 0;
}

static void expect_parked_whole(const Id *id)
{
	Seen seen = { 0 };

	ck_assert_int_eq(ledger_unpark(host.promises.ledger, id, on_unparked, &seen), 0);
	ck_assert_uint_eq(seen.n, 3);
	ck_assert_int_eq(seen.kinds[0], RECORD_START);
	ck_assert_int_eq(seen.kinds[1], RECORD_NOTE);
	ck_assert_int_eq(seen.kinds[2], RECORD_FINISH);
	ck_assert_uint_eq(seen.step, 2);
	ck_assert_int_eq(seen.error, ERROR_RECTIFIER_FAILED);
}

START_TEST(a_parked_run_moves_to_the_ledger_whole_and_stands_where_its_reply_says)
{
	Run *run;
	Id id;

	host_begin();
	run = host_run(HOST_TRANSFER, NULL, 1);
	id = run->id;
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_PARKED, PARKED);
	host_sync();
	ck_assert_str_eq(host_read(0), host_line(run, PARKED));
	ck_assert_uint_eq(host.n_parked, 0);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	ck_assert_uint_eq(host.promises.n_parked, 1);
	expect_parked_whole(&id);
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
	host_end(run, WALK_PARKED, PARKED);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 0);
	faults_clear();
	outcomes_step(&host.outcomes, host.outcomes.retry_at_usec);
	host_settle();
	ck_assert_uint_eq(host.n_parked, 1);
	expect_parked_whole(&id);
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
	host_end(run, WALK_PARKED, PARKED);
	host_sync();
	host_settle();
	again = host_run(HOST_TRANSFER, NULL, 1);
	again->id = id;
	again->submitted = true;
	host_end(again, WALK_SETTLED, DONE);
	host_sync();
	host_settle();
	ck_assert_int_eq(ledger_state_of(&id), LEDGER_SETTLED);
	ck_assert_uint_eq(host.promises.n_parked, 0);
	host_close();
}
END_TEST

START_TEST(after_a_failed_sync_nobody_is_answered_before_a_new_recorder_holds_the_end)
{
	_cleanup_free_ RecorderKept *kept = NULL;
	size_t n = 0;
	Run *run;

	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_attach(run, 0, WAITER_REPLY);
	host_end(run, WALK_SUCCEEDED, DONE);
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
	ck_assert_str_eq(host_read(1), host_line(run, DONE));
	host_settle();
	host_expect_ended("r", LEDGER_SUCCEEDED, DONE);
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
	host_end(run, WALK_SUCCEEDED, DONE);
	ck_assert_ptr_nonnull(strstr(host_read(0), DONE));
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
	host_end(stored, WALK_SUCCEEDED, DONE);
	host_sync();
	host_settle();
	storing = host_run(HOST_TRANSFER, "b", 1);
	host_end(storing, WALK_PARKED, PARKED);
	host_sync();
	unsynced = host_run(HOST_TRANSFER, NULL, 1);
	host_attach(unsynced, 0, WAITER_REPLY);
	host_end(unsynced, WALK_SUCCEEDED, OTHER);
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
	ck_assert_ptr_nonnull(strstr(host_read(0), OTHER));
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
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

	host_record(run, WALK_PARKED, PARKED, &finish);
	end = host_tail();
	for (offset = run->offset; offset < end; offset += record.size) {
		ck_assert_int_eq(record_read(host.recorder.file.base, HOST_RECORDER_SIZE, offset, HOST_NUMBER,
					     RECORD_SEQUENCE_ANY, &record),
				 0);
		record_pack(record.kind, record.content, record.content_size, &run->records);
	}
	buffer_append(&run->reply, PARKED, strlen(PARKED));
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
	expect_parked_whole(&id);
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

START_TEST(a_daemon_that_ends_before_the_ledger_took_it_frees_what_the_recorder_holds)
{
	Run *run;

	faults_install();
	host_begin();
	run = host_run(HOST_TRANSFER, "r", 1);
	host_end(run, WALK_SUCCEEDED, DONE);
	run = host_run(HOST_TRANSFER, "s", 1);
	host_end(run, WALK_SUCCEEDED, DONE);
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
	   after_a_failed_sync_nobody_is_answered_before_a_new_recorder_holds_the_end,
	   a_failed_sync_keeps_no_run_of_durability_process_from_its_answer,
	   a_new_recorder_holds_all_that_waits_and_nothing_that_does_not,
	   a_run_that_the_daemon_parked_is_answered_and_stored,
	   records_that_a_new_recorder_is_being_made_of_outlive_their_run,
	   packed_records_have_a_place_once_a_new_recorder_holds_them,
	   a_daemon_that_ends_before_the_ledger_took_it_frees_what_the_recorder_holds)
