/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include "tests/ledger_desk.h"

typedef struct Records {
	char text[64];
	LedgerState state;
	ErrorCode error;
	uint32_t step;
	bool replied;
} Records;

static int on_records(void *context, const LedgerRun *run)
{
	Records *records = context;

	ck_assert_uint_lt(run->records_size, sizeof(records->text));
	memcpy(records->text, run->records, run->records_size);
	records->text[run->records_size] = '\0';
	records->state = run->state;
	records->error = run->error;
	records->step = run->step;
	records->replied = run->reply != NULL;
	return 0;
}

static void expect_records(Ledger *ledger, unsigned n, const char *text)
{
	Records records = { 0 };
	Id id = desk_id(n);

	ck_assert_int_eq(ledger_unpark(ledger, &id, on_records, &records), 0);
	ck_assert_str_eq(records.text, text);
	ck_assert_int_eq(records.state, LEDGER_PARKED);
	ck_assert_int_eq(records.error, ERROR_RECTIFIER_FAILED);
	ck_assert_uint_eq(records.step, 3);
	ck_assert(records.replied);
}

static int unpark(Ledger *ledger, unsigned n)
{
	Records records;
	Id id = desk_id(n);

	return ledger_unpark(ledger, &id, on_records, &records);
}

static DeskList parked_list(Ledger *ledger)
{
	return desk_list(ledger, (LedgerFilter){ .states = LEDGER_BIT(LEDGER_PARKED) });
}

START_TEST(a_parked_run_is_kept_whole_over_restarts)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_submit(ledger, 1, "r"), 0);
	ck_assert_int_eq(desk_park(ledger, 1, "records of one"), 0);
	ck_assert_int_eq(desk_park(ledger, 2, "records of two"), 0);
	ledger = desk_reopen(ledger);
	expect_records(ledger, 1, "records of one");
	expect_records(ledger, 2, "records of two");
	DeskList list = desk_queue(ledger);
	ck_assert_uint_eq(list.n, 0);
	list = parked_list(ledger);
	desk_expect(&list, 2, 1);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_run_stays_parked_until_the_recorder_has_it)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_park(ledger, 1, "records"), 0);
	expect_records(ledger, 1, "records");
	ledger = desk_reopen(ledger);
	expect_records(ledger, 1, "records");
	ck_assert_int_eq(desk_resume(ledger, 1), 0);
	ck_assert_int_eq(desk_resume(ledger, 1), 0);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_RESUMED);
	ck_assert_int_eq(unpark(ledger, 1), -ESTALE);
	ledger = desk_reopen(ledger);
	DeskList list = desk_list(ledger, (LedgerFilter){ .states = LEDGER_BIT(LEDGER_RESUMED) });
	desk_expect(&list, 1);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_resumed_run_ends_or_parks_anew)
{
	Ledger *ledger = desk_begin();

	for (unsigned n = 1; n <= 2; n++) {
		ck_assert_int_eq(desk_park(ledger, n, "first"), 0);
		ck_assert_int_eq(desk_resume(ledger, n), 0);
	}
	ck_assert_int_eq(desk_park(ledger, 1, "second"), 0);
	expect_records(ledger, 1, "second");
	ck_assert_int_eq(desk_park(ledger, 1, "third"), 0);
	expect_records(ledger, 1, "third");
	ck_assert_int_eq(desk_finish(ledger, 2, LEDGER_SETTLED, "reply"), 0);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_SETTLED);
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_RECTIFIED, "reply"), 0);
	ck_assert_int_eq(unpark(ledger, 1), -ESTALE);
	ledger_close(ledger);
}
END_TEST

START_TEST(what_is_not_parked_is_not_resumed)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_resume(ledger, 1), -ENOENT);
	ck_assert_int_eq(unpark(ledger, 1), -ENOENT);
	ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
	ck_assert_int_eq(desk_resume(ledger, 1), -ESTALE);
	ck_assert_int_eq(unpark(ledger, 1), -ESTALE);
	ledger_close(ledger);
}
END_TEST

typedef struct Decisions {
	unsigned n;
	LedgerDecision last;
	char reason[64];
} Decisions;

static int on_decision(void *context, const LedgerDecision *decision)
{
	Decisions *decisions = context;

	decisions->n++;
	decisions->last = *decision;
	snprintf(decisions->reason, sizeof(decisions->reason), "%s", decision->reason ? decision->reason : "none");
	return 0;
}

static Decisions decisions_of(Ledger *ledger, const Id *run)
{
	Decisions decisions = { 0 };

	ck_assert_int_eq(ledger_decisions(ledger, run, on_decision, &decisions), 0);
	return decisions;
}

START_TEST(a_decision_that_was_not_done_is_found_again_after_a_restart)
{
	Ledger *ledger = desk_begin();
	Decisions found;
	Id id = desk_id(1);

	ck_assert_int_eq(desk_park(ledger, 1, "records"), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_SKIP), 0);
	ledger = desk_reopen(ledger);
	found = decisions_of(ledger, NULL);
	ck_assert_uint_eq(found.n, 1);
	ck_assert(id_equal(&found.last.run, &id));
	ck_assert_uint_eq(found.last.step, 3);
	ck_assert_int_eq(found.last.verb, LEDGER_SKIP);
	ck_assert_uint_eq(found.last.usec, 9000);
	ck_assert_str_eq(found.reason, "by hand");
	ck_assert(!found.last.done);
	ck_assert_int_eq(desk_resume(ledger, 1), 0);
	ck_assert_uint_eq(decisions_of(ledger, NULL).n, 0);
	found = decisions_of(ledger, &id);
	ck_assert_uint_eq(found.n, 1);
	ck_assert(found.last.done);
	ledger_close(ledger);
}
END_TEST

START_TEST(decisions_are_part_of_what_has_become_of_a_run)
{
	Ledger *ledger = desk_begin();
	Id id = desk_id(1);

	ck_assert_int_eq(desk_park(ledger, 1, "records"), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_RETRY), 0);
	ck_assert_int_eq(desk_resume(ledger, 1), 0);
	ck_assert_int_eq(desk_park(ledger, 1, "records"), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_CONFIRM), 0);
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_SETTLED, "reply"), 0);
	ledger = desk_reopen(ledger);
	ck_assert_uint_eq(decisions_of(ledger, &id).n, 2);
	ck_assert_int_eq(decisions_of(ledger, &id).last.verb, LEDGER_CONFIRM);
	ck_assert_uint_eq(decisions_of(ledger, NULL).n, 0);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_decision_names_the_step_where_the_run_stands)
{
	Ledger *ledger = desk_begin();

	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_RETRY), -ENOENT);
	ck_assert_int_eq(desk_park(ledger, 1, "records"), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 2, LEDGER_RETRY), -ESTALE);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_RETRY), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_SKIP), -EBUSY);
	ck_assert_int_eq(desk_resume(ledger, 1), 0);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_SKIP), -ESTALE);
	ck_assert_int_eq(desk_decide(ledger, 1, 3, LEDGER_VERB_MAX), -EINVAL);
	ledger_close(ledger);
}
END_TEST

START_TEST(the_queue_stays_held_over_restarts)
{
	const LedgerHold hold = { .held = true, .uid = 7, .reason = "disk is being changed", .usec = 55 };
	const LedgerHold go = { .held = false, .uid = 8, .usec = 66 };
	Ledger *ledger = desk_begin();
	LedgerHold found;

	ck_assert_int_eq(ledger_held(ledger, &found), 0);
	ck_assert(!found.held && !found.reason);
	ck_assert_int_eq(DESK_DO(ledger, ledger_hold, &hold), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(ledger_held(ledger, &found), 0);
	ck_assert(found.held);
	ck_assert_uint_eq(found.uid, 7);
	ck_assert_str_eq(found.reason, "disk is being changed");
	ck_assert_uint_eq(found.usec, 55);
	ck_assert_int_eq(DESK_DO(ledger, ledger_hold, &go), 0);
	ck_assert_int_eq(ledger_held(ledger, &found), 0);
	ck_assert(!found.held && !found.reason);
	ledger_close(ledger);
}
END_TEST

START_TEST(secrets_are_erased_when_their_run_is_over)
{
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);

	run.arguments = "the secret word is VLADIVOSTOK";
	run.arguments_size = strlen(run.arguments);
	run.metadata = "{\"also\":\"SAMARKAND\"}";
	ck_assert_int_eq(DESK_DO(ledger, ledger_submit, &run), 0);
	ck_assert_int_eq(desk_park(ledger, 2, "records with TASHKENT in them"), 0);
	ck_assert(desk_holds("VLADIVOSTOK") && desk_holds("SAMARKAND") && desk_holds("TASHKENT"));
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_SUCCEEDED, NULL), 0);
	ck_assert_int_eq(desk_resume(ledger, 2), 0);
	while (desk_holds("VLADIVOSTOK") || desk_holds("SAMARKAND") || desk_holds("TASHKENT"))
		usleep(10000); /* the test's time is bounded */
	ck_assert_int_eq(access(scratch_path(LEDGER_NAME "-wal"), F_OK), 0);
	ledger_close(ledger);
	ck_assert(!desk_holds("VLADIVOSTOK") && !desk_holds("SAMARKAND") && !desk_holds("TASHKENT"));
}
END_TEST

START_TEST(large_secrets_are_erased_too)
{
	static char text[300000];
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_submission(1, NULL);

	for (size_t i = 0; i + 16 < sizeof(text); i += 16)
		memcpy(text + i, "NOVOSIBIRSK-0123", 16);
	run.arguments = text;
	run.arguments_size = sizeof(text);
	ck_assert_int_eq(DESK_DO(ledger, ledger_submit, &run), 0);
	ledger = desk_reopen(ledger);
	ck_assert(desk_holds("NOVOSIBIRSK"));
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_RECTIFIED, NULL), 0);
	ledger_close(ledger);
	ck_assert(!desk_holds("NOVOSIBIRSK"));
}
END_TEST

CHECK_MAIN(ledger_parked, a_parked_run_is_kept_whole_over_restarts, a_run_stays_parked_until_the_recorder_has_it,
	   a_resumed_run_ends_or_parks_anew, what_is_not_parked_is_not_resumed,
	   a_decision_that_was_not_done_is_found_again_after_a_restart, decisions_are_part_of_what_has_become_of_a_run,
	   a_decision_names_the_step_where_the_run_stands, the_queue_stays_held_over_restarts,
	   secrets_are_erased_when_their_run_is_over, large_secrets_are_erased_too)
