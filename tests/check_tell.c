/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tell/account.h"
#include "tell/park.h"
#include "tests/chronicle.h"

/* What an account says of a run, as text. */
static char *account_of(const Plan *plan, const Buffer *records)
{
	_cleanup_json_ struct json_object *object = json_object_new_object();
	_cleanup_replay_ Replay replay = { 0 };
	_cleanup_buffer_ Buffer text = { 0 };
	RecordStart start;
	size_t offset = 0;
	Record record;

	ck_assert_int_eq(record_unpack(records->data, records->size, &offset, &record), 1);
	ck_assert_int_eq(record_decode_start(&record, &start), 0);
	ck_assert_int_eq(replay_packed(&replay, plan, records->data, records->size), 0);
	ck_assert_int_eq(account_add(object, &replay, &start), 0);
	json_write(object, &text);
	return buffer_take_text(&text);
}

/* A run as far as \p script goes. */
static char *account(const char *spec, const char *script)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(spec);
	_cleanup_buffer_ Buffer records = { 0 };

	chronicle_run(chronicle, script);
	chronicle_pack(chronicle, 1, chronicle_count(chronicle, 1, chronicle_tail(chronicle)), &records);
	return account_of(chronicle->scene->plan, &records);
}

#define ck_says(text, part) ck_assert_msg(strstr(text, part) != NULL, "expected %s in %s", part, text)
#define ck_hides(text, part) ck_assert_msg(strstr(text, part) == NULL, "expected no %s in %s", part, text)

#define XYZ "@p(x y z)\nx-ux\ny-u1-@undo\nz\nux\nu1\nu2\n@undo(u2)\n"
#define LAST "@p(x y z)\nx-ux\ny 'irreversible':true\nz\nux\n"

START_TEST(an_account_tells_how_each_step_stands_and_what_comes_next)
{
	_cleanup_free_ char *text = account(XYZ, "ok ok .");

	ck_says(text, "{\"step\":1,\"hook\":\"x\",\"state\":\"done\",\"attempts\":1,\"rectifiers\":[\"ux\"],"
		      "\"irreversible\":false}");
	ck_says(text, "{\"step\":2,\"hook\":\"y\",\"state\":\"done\",\"attempts\":1,\"rectifiers\":[\"u1\",\"undo\"],");
	ck_says(text, "{\"step\":3,\"hook\":\"z\",\"state\":\"ahead\",\"attempts\":0,\"rectifiers\":[],");
	ck_says(text, "\"error\":null,\"parked\":null,\"remaining\":[]");
	ck_says(text, "\"next\":[{\"step\":3,\"hook\":\"z\",\"rectifying\":false}]");
}
END_TEST

START_TEST(of_a_run_on_its_way_back_the_account_lists_the_rectifiers_that_are_left)
{
	_cleanup_free_ char *text = account(XYZ, "ok ok fail ok .");

	ck_says(text, "{\"step\":3,\"hook\":\"z\",\"state\":\"failed\",\"attempts\":1");
	ck_says(text, "\"error\":{\"name\":\"HookFailed\",\"step\":3,\"hook\":\"z\"");
	ck_says(text, "\"next\":[{\"step\":2,\"hook\":\"u2\",\"rectifying\":true},"
		      "{\"step\":1,\"hook\":\"ux\",\"rectifying\":true}]");
}
END_TEST

START_TEST(of_a_parked_run_the_account_says_why_what_remains_and_what_a_retry_calls)
{
	_cleanup_free_ char *text = account(XYZ, "ok die fail fail fail finish .");

	ck_says(text, "{\"step\":2,\"hook\":\"y\",\"state\":\"in-doubt\",\"attempts\":1");
	ck_says(text, "\"parked\":{\"name\":\"RectifierFailed\",\"step\":2,\"hook\":\"u1\"");
	ck_says(text, "\"remaining\":[{\"step\":2,\"hook\":\"y\",\"in_doubt\":true},{\"step\":1,\"hook\":\"x\"}]");
	ck_says(text, "\"next\":[{\"step\":2,\"hook\":\"u1\",\"rectifying\":true},"
		      "{\"step\":2,\"hook\":\"u2\",\"rectifying\":true},"
		      "{\"step\":1,\"hook\":\"ux\",\"rectifying\":true}]");
}
END_TEST

START_TEST(a_retry_before_an_irreversible_step_calls_nothing)
{
	_cleanup_free_ char *text = account(LAST, "ok ok fail finish .");

	ck_says(text,
		"{\"step\":2,\"hook\":\"y\",\"state\":\"done\",\"attempts\":1,\"rectifiers\":[],\"irreversible\":true}");
	ck_says(text, "\"parked\":{\"name\":\"Irreversible\",\"step\":2");
	ck_says(text, "\"next\":[]");
}
END_TEST

START_TEST(of_a_run_that_was_parked_on_its_way_forward_all_that_is_done_remains)
{
	_cleanup_free_ char *text = account(XYZ, "ok ok park finish .");

	ck_says(text, "\"parked\":{\"name\":\"ModuleChanged\",\"step\":3,\"hook\":\"z\"");
	ck_says(text, "\"remaining\":[{\"step\":2,\"hook\":\"y\"},{\"step\":1,\"hook\":\"x\"}]");
	ck_says(text, "\"next\":[{\"step\":3,\"hook\":\"z\",\"rectifying\":false}]");
}
END_TEST

/* Secrets */

static void put_argument(Buffer *buffer, const char *name, const char *text)
{
	Value value;

	ck_assert_int_eq(value_from_text(text, strlen(text), &value), 0);
	buffer_string(buffer, name);
	value_encode(&value, buffer);
	value_done(&value);
}

START_TEST(no_account_shows_a_secret_argument_under_any_name)
{
	static const char spec[] =
		"@p(x) 'args':{'user':{'type':'string','required':true},'pin':{'type':'string','required':true,'secret':true},"
		"'card':{'type':'string','required':true}}\n"
		"x 'args':{'code':{'type':'string','required':true,'secret':true},"
		"'_key':{'type':'string','required':false,'secret':true}},'bind':{'code':'card'}\n";
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(spec);
	_cleanup_buffer_ Buffer arguments = { 0 }, content = { 0 }, records = { 0 };
	_cleanup_free_ char *text = NULL;
	RecordStart start = { .program = "p", .program_size = 1, .request = "" };

	buffer_u32(&arguments, 4);
	put_argument(&arguments, "user", "ada");
	put_argument(&arguments, "pin", "hidden-pin");
	put_argument(&arguments, "card", "hidden-card");
	put_argument(&arguments, "_key", "hidden-key");
	start.arguments = arguments.data;
	start.arguments_size = arguments.size;
	record_encode_start(&start, &content);
	record_pack(RECORD_START, content.data, content.size, &records);
	text = account_of(chronicle->scene->plan, &records);
	ck_says(text, "\"arguments\":{\"user\":\"ada\",\"pin\":null,\"card\":null,\"_key\":null},"
		      "\"secrets\":[\"pin\",\"card\",\"_key\"]");
	ck_hides(text, "hidden");
}
END_TEST

/* Parking, in every state a run can be found in */

static const char *const scripts[] = {
	"ok ok ok",
	"ok ok note ok finish .",
	"ok fail",
	"ok note die ok ok ok",
	"ok ok fail ok fail fail fail finish .",
	"ok ok fail ok fail fail fail finish retry ok ok",
	"ok ok !cancel ok ok ok",
	"ok taken ok taken begin",
	"ok ok park finish retry ok",
	"ok ok fail ok park finish retry ok ok",
};

static const ErrorCode codes[] = { ERROR_MODULE_CHANGED, ERROR_STORE_MOVED, ERROR_DAMAGED };

static int decide(Replay *replay, RecordKind verb)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordDecision decision = { .usec = 1, .reason = "" };
	Record record = { .kind = verb };
	WalkError parked;

	walk_parked(replay->walk, &parked);
	decision.step = parked.step;
	record_encode_decision(&decision, &content);
	record.content = content.data;
	record.content_size = content.size;
	return replay_feed(replay, &record);
}

/* Everything that is called from here on goes well. Whether it goes forward anywhere. */
static bool goes_forward(Replay *replay)
{
	bool forward = false;
	WalkAction action;

	for (;;) {
		ck_assert_int_eq(walk_next(replay->walk, replay->now_usec, &action), 0);
		if (action.kind == WALK_END)
			return forward;
		if (action.kind == WALK_WAIT)
			continue;
		forward = forward || !action.rectifying;
		ck_assert_int_eq(walk_ended(replay->walk, &(Outcome){ 0 }), 0);
	}
}

static void check_retry(const Plan *plan, const Parked *parked, ErrorCode code)
{
	_cleanup_replay_ Replay replay = { 0 };
	bool forward;

	ck_assert_int_eq(replay_packed(&replay, plan, parked->records.data, parked->records.size), 0);
	ck_assert(replay.finished && replay.parked);
	ck_assert_int_eq(decide(&replay, RECORD_RETRY), 0);
	forward = goes_forward(&replay);
	ck_assert(!forward || code != ERROR_DAMAGED);
	ck_assert_int_ne(walk_status(replay.walk), WALK_RUNNING);
	ck_assert(code != ERROR_DAMAGED || walk_status(replay.walk) != WALK_RECTIFIED);
}

static void check_parked(const Plan *plan, const Parked *parked, ErrorCode code)
{
	_cleanup_free_ char *text = strndup((const char *)parked->reply.data, parked->reply.size);
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *shown = account_of(plan, &parked->records);
	_cleanup_buffer_ Buffer expected = { 0 };

	buffer_format(&expected, "\"parked\":{\"name\":\"%s\"", error_name(code));
	name = buffer_take_text(&expected);
	ck_says(text, "\"status\":\"parked\"");
	ck_says(text, name);
	ck_says(text, "the reason");
	ck_says(shown, "\"remaining\":[");
	ck_assert_int_eq(parked->error.code, code);
	check_retry(plan, parked, code);
}

static void park_at(const Chronicle *chronicle, size_t n)
{
	const Plan *plan = chronicle->scene->plan;
	_cleanup_buffer_ Buffer records = { 0 };

	chronicle_pack(chronicle, 1, n, &records);
	for (size_t i = 0; i < 2 * ELEMENTSOF(codes); i++) {
		_cleanup_parked_ Parked parked = { 0 };
		ErrorCode code = codes[i / 2];

		ck_assert_int_eq(
			park_make(records.data, records.size, i % 2 ? plan : NULL, code, "the reason", 5, &parked), 0);
		check_parked(plan, &parked, code);
	}
}

/* What is parked already is not found to be taken up. */
static bool is_found(const Chronicle *chronicle, size_t n)
{
	RecordKind last = chronicle->records[n - 1].kind;

	return last != RECORD_FINISH && last != RECORD_PARK;
}

START_TEST(a_run_that_is_parked_in_any_state_can_be_retried)
{
	for (size_t i = 0; i < ELEMENTSOF(scripts); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(XYZ);

		chronicle_run(chronicle, scripts[i]);
		for (size_t n = 1; n <= chronicle->n_records; n++)
			if (is_found(chronicle, n))
				park_at(chronicle, n);
	}
}
END_TEST

/* With the plan: a reply as any other; without: numbers alone. */
static char *reply_of(const char *script, bool blind)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(XYZ);
	_cleanup_parked_ Parked parked = { 0 };
	_cleanup_buffer_ Buffer records = { 0 };

	chronicle_run(chronicle, script);
	chronicle_pack(chronicle, 1, chronicle_count(chronicle, 1, chronicle_tail(chronicle)), &records);
	ck_assert_int_eq(park_make(records.data, records.size, blind ? NULL : chronicle->scene->plan, ERROR_STORE_MOVED,
				   "the reason", 5, &parked),
			 0);
	return strndup((const char *)parked.reply.data, parked.reply.size);
}

START_TEST(an_attempt_in_hand_is_in_doubt_when_its_run_is_parked)
{
	_cleanup_free_ char *text = reply_of("ok begin", false), *blind = reply_of("ok begin", true);

	ck_says(text, "\"error\":{\"name\":\"Interrupted\",\"step\":2,\"hook\":\"y\"");
	ck_says(text, "\"remaining\":[{\"step\":2,\"hook\":\"y\",\"in_doubt\":true},{\"step\":1,\"hook\":\"x\"}]");
	ck_says(text, "\"parked\":{\"name\":\"StoreMoved\",\"step\":2,\"hook\":\"u1\",\"message\":\"the reason\"}");
	ck_says(blind, "\"program\":\"p\",\"success\":false,\"status\":\"parked\"");
	ck_says(blind, "\"remaining\":[{\"step\":2,\"in_doubt\":true},{\"step\":1}]");
	ck_says(blind, "\"parked\":{\"name\":\"StoreMoved\",\"message\":\"the reason\"}");
}
END_TEST

START_TEST(what_failed_cleanly_does_not_remain)
{
	_cleanup_free_ char *text = reply_of("ok fail .", false), *blind = reply_of("ok fail .", true);

	ck_says(text, "\"remaining\":[{\"step\":1,\"hook\":\"x\"}]");
	ck_says(blind, "\"error\":{\"name\":\"HookFailed\",\"step\":2,");
	ck_says(blind, "\"remaining\":[{\"step\":1}]");
}
END_TEST

/* Only its FINISH is missing; nothing is to become of it before somebody has seen why it was parked. */
START_TEST(a_run_that_had_ended_is_parked_with_all_that_it_did)
{
	_cleanup_free_ char *text = reply_of("ok ok ok .", false);

	ck_says(text, "\"success\":false,\"status\":\"parked\"");
	ck_says(text, "\"remaining\":[{\"step\":2,\"hook\":\"y\"},{\"step\":1,\"hook\":\"x\"}]");
	ck_says(text, "\"parked\":{\"name\":\"StoreMoved\",\"message\":\"the reason\"}");
}
END_TEST

START_TEST(records_that_do_not_fit_the_plan_are_parked_without_it)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(XYZ), *other = chronicle_open("@p(x)\nx");
	_cleanup_buffer_ Buffer records = { 0 };
	_cleanup_parked_ Parked parked = { 0 };
	const char *reply;

	chronicle_run(chronicle, "ok ok .");
	chronicle_pack(chronicle, 1, 4, &records);
	ck_assert_int_eq(park_make(records.data, records.size, other->scene->plan, ERROR_DAMAGED, "", 5, &parked),
			 -EBADMSG);
	ck_assert_ptr_null(parked.reply.data);
	ck_assert_int_eq(park_make(records.data, records.size, NULL, ERROR_DAMAGED, "", 5, &parked), 0);
	reply = (const char *)parked.reply.data;
	ck_assert_ptr_nonnull(memmem(reply, parked.reply.size, "Damaged", 7));
}
END_TEST

START_TEST(what_is_no_run_is_not_parked)
{
	_cleanup_parked_ Parked parked = { 0 };
	_cleanup_buffer_ Buffer records = { 0 };

	ck_assert_int_eq(park_make(NULL, 0, NULL, ERROR_DAMAGED, "", 5, &parked), -EBADMSG);
	record_pack(RECORD_NOTE, "x", 1, &records);
	ck_assert_int_eq(park_make(records.data, records.size, NULL, ERROR_DAMAGED, "", 5, &parked), -EBADMSG);
}
END_TEST

CHECK_MAIN(tell, an_account_tells_how_each_step_stands_and_what_comes_next,
	   of_a_run_on_its_way_back_the_account_lists_the_rectifiers_that_are_left,
	   of_a_parked_run_the_account_says_why_what_remains_and_what_a_retry_calls,
	   a_retry_before_an_irreversible_step_calls_nothing,
	   of_a_run_that_was_parked_on_its_way_forward_all_that_is_done_remains,
	   no_account_shows_a_secret_argument_under_any_name, a_run_that_is_parked_in_any_state_can_be_retried,
	   an_attempt_in_hand_is_in_doubt_when_its_run_is_parked, what_failed_cleanly_does_not_remain,
	   a_run_that_had_ended_is_parked_with_all_that_it_did, records_that_do_not_fit_the_plan_are_parked_without_it,
	   what_is_no_run_is_not_parked)
