/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a run that a recovery finds unfinished (rules 27, 37, 39). */
#include "run/recover.h"
#include "tests/chronicle.h"

#define PLAIN "@p(w x y z)\nw\nx-ux\ny\nz-uz\nux\nuz\n"
#define AGAIN "@p(w x)\nw-uw\nx 'idempotent':true,'retry':{'attempts':2,'backoff':0.1,'max_backoff':5}\nuw\n"

static RecordPlace other_boot(const Chronicle *chronicle)
{
	RecordPlace place = chronicle->place;

	place.boot.bytes[5] ^= 1;
	return place;
}

static void read_there(const Chronicle *chronicle, const RecordPlace *place, Recovered *ret)
{
	ck_assert_int_eq(recover_read(&chronicle->file, place, ret), 0);
}

static const struct {
	const char *spec, *script;
	bool same_boot;
	uint32_t interruptions; /* so far */
	RecoverAct act;
	uint32_t flags;
} verdicts[] = {
	/* in the same boot nothing is missing */
	{ PLAIN, ".", true, 0, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok .", true, 0, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok .", true, 2, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok .", true, 3, RECOVER_RECTIFY, 0 },
	{ PLAIN, "ok ok begin", true, 9, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok ok .", true, 0, RECOVER_CARRY_ON, RECORD_FLAG_PROCESS },
	/* elsewhere, where the next call would have been synced first */
	{ PLAIN, ".", false, 0, RECOVER_RECTIFY, 0 },
	{ PLAIN, "ok .", false, 0, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok .", false, 3, RECOVER_RECTIFY, 0 },
	{ PLAIN, "ok ok .", false, 0, RECOVER_RECTIFY, 0 },
	{ PLAIN, "ok ok ok .", false, 0, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok begin", false, 0, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok park retry .", false, 0, RECOVER_RECTIFY, 0 },
	/* nothing is left to be called */
	{ PLAIN, "ok ok ok ok .", false, 9, RECOVER_CARRY_ON, 0 },
	/* it is being rectified */
	{ PLAIN, "ok ok ok fail .", false, 9, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok !cut .", false, 9, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok ok fail fail begin", false, 9, RECOVER_CARRY_ON, 0 },
	{ PLAIN, "ok ok ok fail fail fail fail .", false, 9, RECOVER_CARRY_ON, 0 },
	/* an attempt that may be made again */
	{ AGAIN, "ok begin", true, 0, RECOVER_CARRY_ON, 0 },
	{ AGAIN, "ok begin", false, 0, RECOVER_RECTIFY, 0 },
	{ AGAIN, "ok begin", true, 3, RECOVER_RECTIFY, 0 },
	{ AGAIN, "ok fail begin", false, 3, RECOVER_CARRY_ON, 0 },
	{ AGAIN, "ok fail .", false, 0, RECOVER_RECTIFY, 0 },
	{ AGAIN, "begin", false, 0, RECOVER_CARRY_ON, 0 },
	/* durability "process" */
	{ PLAIN, "ok .", false, 0, RECOVER_PARK, RECORD_FLAG_PROCESS },
	{ PLAIN, "ok ok !cut .", false, 0, RECOVER_PARK, RECORD_FLAG_PROCESS },
};

static void decide(size_t i, RecoverVerdict *ret)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(verdicts[i].spec);
	_cleanup_recovered_ Recovered recovered = {};
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {};
	RecordPlace place = other_boot(chronicle);

	chronicle->flags = verdicts[i].flags;
	chronicle_run(chronicle, verdicts[i].script);
	read_there(chronicle, verdicts[i].same_boot ? &chronicle->place : &place, &recovered);
	ck_assert(!recovered.damaged && recovered.n == 1 && !recovered.runs[0].finished);
	recovered.runs[0].interruptions = verdicts[i].interruptions;
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	recover_decide(&recovered, &recovered.runs[0], &replay, ret);
}

START_TEST(a_run_with_nothing_in_doubt_goes_on_where_nothing_can_be_missing)
{
	for (size_t i = 0; i < ELEMENTSOF(verdicts); i++) {
		RecoverVerdict verdict;

		decide(i, &verdict);
		ck_assert_msg(verdict.act == verdicts[i].act, "case %zu (\"%s\"): %d: %s", i, verdicts[i].script,
			      verdict.act, verdict.message);
		ck_assert_uint_eq(verdict.interruptions, verdicts[i].interruptions + 1);
		ck_assert_int_eq(verdict.code, verdict.act == RECOVER_CARRY_ON ? ERROR_NONE
					       : verdict.act == RECOVER_PARK   ? ERROR_DAMAGED
									       : ERROR_INTERRUPTED);
		ck_assert(*verdict.message);
		/* what is rectified is so whoever takes it up, and whenever */
		ck_assert(verdict.act != RECOVER_RECTIFY || verdict.barred);
		ck_assert(verdict.act != RECOVER_PARK || !verdict.barred);
	}
}
END_TEST

START_TEST(a_run_that_cannot_be_taken_up_now_is_barred_where_it_would_be_rectified)
{
	static const struct {
		const char *script;
		bool same_boot, known, barred;
	} cases[] = {
		{ "ok .", true, true, false },        { "ok .", false, true, false },
		{ "ok ok .", false, true, true },     { "ok .", true, false, false },
		{ "ok .", false, false, true },       { "ok ok begin", true, true, false },
		{ "ok ok begin", false, true, true }, { "ok ok ok fail begin", false, true, false },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
		_cleanup_recovered_ Recovered recovered = {};
		_cleanup_replay_ Replay replay = {};
		_cleanup_buffer_ Buffer packed = {};
		RecordPlace place = other_boot(chronicle);
		RecoverVerdict verdict;

		chronicle_run(chronicle, cases[i].script);
		read_there(chronicle, cases[i].same_boot ? &chronicle->place : &place, &recovered);
		recovered.moved = true;
		chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
		ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
		recover_decide(&recovered, &recovered.runs[0], cases[i].known ? &replay : NULL, &verdict);
		ck_assert_int_eq(verdict.act, RECOVER_PARK);
		ck_assert_int_eq(verdict.code, ERROR_STORE_MOVED);
		ck_assert_msg(verdict.barred == cases[i].barred, "case %zu", i);
	}
}
END_TEST

START_TEST(a_run_that_the_daemon_had_parked_is_parked_for_that)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	RecoverVerdict verdict;

	chronicle_run(chronicle, "ok park .");
	read_there(chronicle, &chronicle->place, &recovered);
	ck_assert(recovered.runs[0].parked && !recovered.runs[0].finished);
	recovered.moved = true;
	recover_decide(&recovered, &recovered.runs[0], NULL, &verdict);
	ck_assert_int_eq(verdict.act, RECOVER_PARK);
	ck_assert_int_eq(verdict.code, ERROR_MODULE_CHANGED);
}
END_TEST

START_TEST(where_several_things_keep_a_run_from_going_on_the_worst_is_named)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	RecordPlace place = other_boot(chronicle);
	RecoverVerdict verdict;
	RecoverRun *run;

	chronicle->flags = RECORD_FLAG_PROCESS;
	chronicle_run(chronicle, "ok .");
	read_there(chronicle, &place, &recovered);
	run = &recovered.runs[0];
	recovered.moved = true;
	recover_decide(&recovered, run, NULL, &verdict);
	ck_assert_int_eq(verdict.code, ERROR_DAMAGED);
	run->start.flags = 0;
	recover_decide(&recovered, run, NULL, &verdict);
	ck_assert_int_eq(verdict.code, ERROR_STORE_MOVED);
	run->broken = true;
	recover_decide(&recovered, run, NULL, &verdict);
	ck_assert_int_eq(verdict.code, ERROR_DAMAGED);
	*run = (RecoverRun){ 0 };
	recovered.moved = false;
	recover_decide(&recovered, run, NULL, &verdict);
	ck_assert_int_eq(verdict.code, ERROR_MODULE_CHANGED);
}
END_TEST

CHECK_MAIN(recover_verdict, a_run_with_nothing_in_doubt_goes_on_where_nothing_can_be_missing,
	   a_run_that_cannot_be_taken_up_now_is_barred_where_it_would_be_rectified,
	   a_run_that_the_daemon_had_parked_is_parked_for_that,
	   where_several_things_keep_a_run_from_going_on_the_worst_is_named)
