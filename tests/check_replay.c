/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tests/chronicle.h"

#define WXY "@p(w x y)\nw-uw\nx-u1-u2\ny\nuw\nu1\nu2\n"
#define IRREVERSIBLE "@p(w x y)\nw-uw\nx 'irreversible':true\ny\nuw\n"
#define AGAIN "@p(w x)\nw-uw\nx-ux 'idempotent':true,'retry':{'attempts':3,'backoff':0.1,'max_backoff':5}\nuw\nux\n"

static const struct {
	const char *spec, *script;
	WalkStatus status;
} stories[] = {
	{ WXY, "", WALK_SUCCEEDED },
	{ WXY, "ok ok fail", WALK_RECTIFIED },
	{ WXY, "ok note taken die ok fail ok", WALK_RECTIFIED },
	{ WXY, "ok !cut", WALK_RECTIFIED },
	{ WXY, "!cancel", WALK_RECTIFIED },
	{ WXY, "ok ok fail fail fail fail", WALK_PARKED },
	{ WXY, "ok ok fail fail fail fail unpark retry ok taken ok ok", WALK_RECTIFIED },
	{ WXY, "ok ok fail fail fail fail retry fail fail fail unpark skip ok", WALK_SETTLED },
	{ WXY, "ok taken ok park", WALK_PARKED },
	{ WXY, "ok ok park unpark retry", WALK_SUCCEEDED },
	{ WXY, "ok ok fail park . ", WALK_PARKED },
	{ WXY, "ok ok fail ok park retry", WALK_RECTIFIED },
	{ IRREVERSIBLE, "ok ok fail", WALK_PARKED },
	{ IRREVERSIBLE, "ok die unpark confirm", WALK_SETTLED },
	{ IRREVERSIBLE, "ok ok fail retry skip", WALK_SETTLED },
	{ AGAIN, "ok die fail !cut", WALK_RECTIFIED },
	{ AGAIN, "ok die park retry fail fail fail", WALK_RECTIFIED },
	{ AGAIN, "ok die ok", WALK_SUCCEEDED },
};

static void same_steps(int (*list)(const Walk *, WalkStep **, size_t *), const Walk *a, const Walk *b)
{
	_cleanup_free_ WalkStep *first = NULL, *second = NULL;
	size_t n, m;

	ck_assert_int_eq(list(a, &first, &n), 0);
	ck_assert_int_eq(list(b, &second, &m), 0);
	ck_assert_uint_eq(n, m);
	for (size_t i = 0; i < n; i++)
		ck_assert(first[i].step == second[i].step && first[i].in_doubt == second[i].in_doubt);
}

static void same_error(const WalkError *a, const WalkError *b)
{
	ck_assert_int_eq(a->code, b->code);
	ck_assert_uint_eq(a->step, b->step);
	ck_assert(a->hook == b->hook || strcmp(a->hook, b->hook) == 0);
}

static void same_walk(const Walk *a, const Walk *b, uint32_t n_steps)
{
	WalkError first, second;

	ck_assert_int_eq(walk_status(a), walk_status(b));
	walk_error(a, &first);
	walk_error(b, &second);
	same_error(&first, &second);
	walk_parked(a, &first);
	walk_parked(b, &second);
	same_error(&first, &second);
	same_steps(walk_rectified, a, b);
	same_steps(walk_remaining, a, b);
	for (uint32_t step = 1; step <= n_steps; step++)
		ck_assert_int_eq(walk_stand(a, step), walk_stand(b, step));
}

START_TEST(a_runs_records_lead_to_where_it_stood)
{
	for (size_t i = 0; i < ELEMENTSOF(stories); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(stories[i].spec);
		_cleanup_replay_ Replay replay = {};
		_cleanup_buffer_ Buffer packed = {};
		const Plan *plan = chronicle->scene->plan;

		chronicle_run(chronicle, stories[i].script);
		chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
		ck_assert_msg(replay_packed(&replay, plan, packed.data, packed.size) == 0, "%s", stories[i].script);
		ck_assert_int_eq(walk_status(replay.walk), stories[i].status);
		same_walk(replay.walk, chronicle->walk, plan->n_steps);
		ck_assert_uint_eq(replay.n_records, chronicle_count(chronicle, 1, SIZE_MAX));
		ck_assert_int_eq(replay.finished, chronicle->finished);
		ck_assert(!replay.begun);
	}
}
END_TEST

/* What comes next after the first \p n records is what was recorded next. */
static void check_next(Chronicle *chronicle, const Buffer *packed, size_t n)
{
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer first = {};
	size_t offset = 0;
	Record record = {};
	RecordBegin begin;
	WalkAction action;

	chronicle_pack(chronicle, 1, n, &first);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, first.data, first.size), 0);
	for (size_t i = 0; i <= n; i++)
		if (record_unpack(packed->data, packed->size, &offset, &record) == 0)
			return;
	if (record.kind != RECORD_BEGIN)
		return;
	ck_assert_int_eq(record_decode_begin(&record, &begin), 0);
	do
		ck_assert_int_eq(walk_next(replay.walk, begin.usec, &action), 0);
	while (action.kind == WALK_WAIT);
	ck_assert_int_eq(action.kind, WALK_CALL);
	ck_assert(action.op == begin.op && action.step == begin.step && action.attempt == begin.attempt);
	ck_assert(action.rectifying == begin.rectifying && action.in_doubt == begin.in_doubt);
}

START_TEST(from_any_record_on_the_same_calls_follow)
{
	for (size_t i = 0; i < ELEMENTSOF(stories); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(stories[i].spec);
		_cleanup_buffer_ Buffer packed = {};

		chronicle_run(chronicle, stories[i].script);
		chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
		for (size_t n = 1; n <= chronicle_count(chronicle, 1, SIZE_MAX); n++)
			check_next(chronicle, &packed, n);
	}
}
END_TEST

START_TEST(what_is_counted_on_the_way_is_counted)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(AGAIN);
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {};
	const Note *note;

	chronicle_run(chronicle, "ok note die die taken fail note ok fail fail fail retry");
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert_uint_eq(replay.steps[0].attempts, 1);
	ck_assert_uint_eq(replay.steps[1].attempts, 3);
	ck_assert_uint_eq(replay.interruptions, 1);
	ck_assert_uint_eq(replay.notes.n, 2);
	note = notes_find(&replay.notes, 2, "key");
	ck_assert(note && note->size == 4 && memcmp(note->data, "data", 4) == 0);
	ck_assert_uint_gt(replay.rectified, 0);
	ck_assert_uint_gt(replay.decided_usec, 0);
	ck_assert_str_eq(replay.last_reason, "because");
	ck_assert_int_eq(replay.error, ERROR_HOOK_FAILED);
	ck_assert(replay.run.bytes[0] == 1 && replay.run.bytes[1] == 0xA5);
}
END_TEST

START_TEST(an_attempt_without_an_end_is_the_one_in_hand)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(WXY);
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {}, content = {};
	const ReplayCause cause = { .code = ERROR_HOOK_TIMEOUT, .message = "its time was up" };
	Record record = { .kind = RECORD_END };
	_cleanup_replay_ Replay second = {};
	RecordEnd end;

	chronicle_run(chronicle, "ok begin");
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert(replay.begun);
	ck_assert_uint_eq(replay.action.step, 2);
	ck_assert_int_eq(replay_break(&replay, &cause, 77, &end), 0);
	ck_assert(!replay.begun);
	ck_assert_int_eq(end.outcome, OUTCOME_UNKNOWN);
	ck_assert_int_eq(end.error, ERROR_HOOK_TIMEOUT);
	ck_assert_uint_eq(end.usec, 77);
	ck_assert_int_eq(replay_break(&replay, &cause, 78, &end), -EINVAL);
	ck_assert_int_eq(walk_stand(replay.walk, 2), WALK_STAND_DOUBT);

	record_encode_end(&end, &content);
	record.content = content.data;
	record.content_size = content.size;
	ck_assert_int_eq(replay_packed(&second, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert_int_eq(replay_feed(&second, &record), 0);
	same_walk(replay.walk, second.walk, 3);
}
END_TEST

START_TEST(an_attempt_that_ended_with_its_process_is_unknown_where_no_cause_is_given)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(WXY);
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {};
	WalkError error;
	RecordEnd end;

	chronicle_run(chronicle, "ok begin");
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert_int_eq(replay_break(&replay, &(ReplayCause){}, 1, &end), 0);
	ck_assert_int_eq(end.error, ERROR_HOOK_UNKNOWN);
	walk_error(replay.walk, &error);
	ck_assert_int_eq(error.code, ERROR_HOOK_UNKNOWN);
}
END_TEST

/* Who has no plan parks a run wherever its records end, and names no step. */
START_TEST(a_run_that_was_parked_where_it_had_ended_ends_at_a_retry)
{
	static const struct {
		const char *spec, *script;
		WalkStatus status;
	} cases[] = {
		{ WXY, "ok ok ok .", WALK_SUCCEEDED },
		{ WXY, "ok ok fail ok ok ok .", WALK_RECTIFIED },
		{ IRREVERSIBLE, "ok ok fail .", WALK_PARKED },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(cases[i].spec);
		_cleanup_buffer_ Buffer packed = {}, park = {}, finish = {}, retry = {};
		_cleanup_replay_ Replay replay = {};
		WalkAction action;

		chronicle_run(chronicle, cases[i].script);
		chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
		record_encode_park(&(RecordPark){ .code = ERROR_MODULE_CHANGED }, &park);
		record_pack(RECORD_PARK, park.data, park.size, &packed);
		record_encode_finish(&(RecordFinish){ .run = chronicle_id(1), .status = WALK_PARKED }, &finish);
		record_pack(RECORD_FINISH, finish.data, finish.size, &packed);
		ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
		ck_assert(replay.finished && replay.set_aside);
		replay_done(&replay);

		record_encode_decision(&(RecordDecision){ .step = 0 }, &retry);
		record_pack(RECORD_RETRY, retry.data, retry.size, &packed);
		ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
		ck_assert(!replay.finished && !replay.set_aside);
		ck_assert_int_eq(walk_next(replay.walk, 1, &action), 0);
		ck_assert_int_eq(action.kind, WALK_END);
		ck_assert_int_eq(walk_status(replay.walk), cases[i].status);
	}
}
END_TEST

START_TEST(a_retry_that_names_no_step_goes_on_where_the_run_stands)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(WXY);
	_cleanup_buffer_ Buffer packed = {}, retry = {};
	_cleanup_replay_ Replay replay = {};
	WalkAction action;

	chronicle_run(chronicle, "ok park");
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	record_encode_decision(&(RecordDecision){ .step = 0 }, &retry);
	record_pack(RECORD_RETRY, retry.data, retry.size, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert_int_eq(walk_next(replay.walk, 1, &action), 0);
	ck_assert(action.kind == WALK_CALL && action.step == 2);
}
END_TEST

/* Rule 38 */
START_TEST(where_a_daemon_took_the_run_up_its_programs_time_begins_anew)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open("@p(x y) 'timeout':9\nx\ny\n");
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {};
	WalkAction action;

	chronicle_run(chronicle, "ok taken .");
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	ck_assert_int_eq(replay_packed(&replay, chronicle->scene->plan, packed.data, packed.size), 0);
	ck_assert_int_eq(walk_next(replay.walk, 5, &action), 0);
	ck_assert_uint_eq(action.deadline_usec, 5 + 9 * USEC_PER_SEC);
}
END_TEST

CHECK_MAIN(replay, a_runs_records_lead_to_where_it_stood, from_any_record_on_the_same_calls_follow,
	   what_is_counted_on_the_way_is_counted, an_attempt_without_an_end_is_the_one_in_hand,
	   an_attempt_that_ended_with_its_process_is_unknown_where_no_cause_is_given,
	   a_run_that_was_parked_where_it_had_ended_ends_at_a_retry,
	   a_retry_that_names_no_step_goes_on_where_the_run_stands,
	   where_a_daemon_took_the_run_up_its_programs_time_begins_anew)
