/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run that the daemon parks where it stands, and what an operator may then say; how each step of a run stands. */
#include <errno.h>

#include "tests/scene.h"

#define XY "@p(x y)\nx-ux\ny-uy\nux\nuy\n"
#define WXY "@p(w x y)\nw-uw\nx-u1-u2\ny\nuw\nu1\nu2\n"
#define RETRY "'retry':{'attempts':3,'backoff':0.1,'max_backoff':5}"
#define AGAIN "@p(w x)\nw-uw\nx-ux 'idempotent':true," RETRY "\nuw\nux\n"

static int park(Scene *scene, ErrorCode code)
{
	return walk_park(scene->walk, code, "it may not go on");
}

START_TEST(a_run_parks_between_its_steps_and_a_retry_goes_on_there)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");
	WalkError parked;

	scene_play(scene, "ok .");
	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_end(scene, "parked | ModuleChanged 2:y");
	ck_lists(scene, "| 1:x");
	walk_parked(scene->walk, &parked);
	ck_assert_str_eq(parked.message, "it may not go on");
	scene_play(scene, "");
	ck_trace(scene, "x");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	ck_lists(scene, "|");
	scene_play(scene, "ok");
	ck_trace(scene, "x y");
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_run_parks_before_its_first_step)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_end(scene, "parked | ModuleChanged 1:x");
	ck_assert_int_eq(walk_retry(scene->walk, 1), 0);
	scene_play(scene, "ok fail ok");
	ck_trace(scene, "x y -ux");
}
END_TEST

START_TEST(a_run_parks_on_its_way_back_and_a_retry_goes_on_there)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail ok .");
	ck_assert_int_eq(park(scene, ERROR_STORE_MOVED), 0);
	ck_end(scene, "parked HookFailed 3:y | StoreMoved 2:u2");
	ck_lists(scene, "| 2:x 1:w");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok ok");
	ck_trace(scene, "w x y -u1 -u2 -uw");
	ck_end(scene, "rectified HookFailed 3:y");
}
END_TEST

/* Rule 17 */
START_TEST(a_retry_gives_the_call_a_fresh_budget_on_either_way)
{
	_cleanup_scene_ Scene *forward = scene_open("@p(x)\nx " RETRY "\n", "");
	_cleanup_scene_ Scene *back = scene_open("@p(x y)\nx-u\ny\nu\n", "");

	scene_play(forward, "fail fail .");
	ck_assert_int_eq(park(forward, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_retry(forward->walk, 1), 0);
	scene_play(forward, "fail fail ok");
	ck_trace(forward, "x x#2 x#3 x#4 x#5");
	ck_end(forward, "succeeded");

	scene_play(back, "ok fail fail fail .");
	ck_assert_int_eq(park(back, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_retry(back->walk, 1), 0);
	scene_play(back, "fail fail fail");
	ck_trace(back, "x y -u -u#2 -u -u#2 -u#3");
	ck_end(back, "parked HookFailed 2:y | RectifierFailed 1:u");
}
END_TEST

/* Rule 8 */
START_TEST(an_attempt_in_doubt_stays_so_over_a_park_until_a_later_one_is_ok)
{
	_cleanup_scene_ Scene *fails = scene_open(AGAIN, "");
	_cleanup_scene_ Scene *ends = scene_open(AGAIN, "");

	scene_play(fails, "ok die .");
	ck_assert_int_eq(park(fails, ERROR_MODULE_CHANGED), 0);
	ck_lists(fails, "| 2:x? 1:w");
	ck_assert_int_eq(walk_stand(fails->walk, 2), WALK_STAND_DOUBT);
	ck_assert_int_eq(walk_retry(fails->walk, 2), 0);
	scene_play(fails, "fail fail fail");
	ck_trace(fails, "w x x#2 x#3 x#4 -ux? -uw");

	scene_play(ends, "ok die .");
	ck_assert_int_eq(park(ends, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_retry(ends->walk, 2), 0);
	scene_play(ends, "ok");
	ck_end(ends, "succeeded");
	ck_assert_int_eq(walk_stand(ends->walk, 2), WALK_STAND_DONE);
}
END_TEST

START_TEST(a_run_that_has_ended_or_is_parked_is_not_parked_again)
{
	_cleanup_scene_ Scene *ended = scene_open(XY, "");
	_cleanup_scene_ Scene *untold = scene_open(XY, "");
	_cleanup_scene_ Scene *parked = scene_open(WXY, "");
	_cleanup_scene_ Scene *twice = scene_open(XY, "");

	scene_play(ended, "ok ok");
	ck_assert_int_eq(park(ended, ERROR_DAMAGED), -EALREADY);
	ck_end(ended, "succeeded");
	scene_play(untold, "ok ok .");
	ck_assert_int_eq(park(untold, ERROR_DAMAGED), -EALREADY);
	ck_end(untold, "succeeded");
	scene_play(parked, "ok ok fail fail fail fail");
	ck_assert_int_eq(park(parked, ERROR_DAMAGED), -EALREADY);
	ck_end(parked, "parked HookFailed 3:y | RectifierFailed 2:u1");
	ck_assert_int_eq(park(twice, ERROR_DAMAGED), 0);
	ck_assert_int_eq(park(twice, ERROR_STORE_MOVED), -EALREADY);
	ck_end(twice, "parked | Damaged 1:x");
}
END_TEST

START_TEST(nothing_but_what_a_daemon_parks_for_parks_a_run)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	for (int code = ERROR_NONE; code < ERROR_CODE_MAX; code++)
		if (code != ERROR_MODULE_CHANGED && code != ERROR_STORE_MOVED && code != ERROR_DAMAGED)
			ck_assert_int_eq(park(scene, (ErrorCode)code), -EINVAL);
	scene_play(scene, "ok ok");
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_call_that_was_named_but_not_made_is_not_made_after_a_park)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");
	Outcome ok = { .kind = OUTCOME_OK };
	WalkAction action;

	scene_play(scene, "ok .");
	ck_assert_int_eq(walk_next(scene->walk, scene->now_usec, &action), 0);
	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_ended(scene->walk, &ok), -EINVAL);
	ck_end(scene, "parked | ModuleChanged 2:y");
}
END_TEST

START_TEST(a_stop_that_waited_for_a_hook_takes_effect_before_the_run_is_parked)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "+cancel ok .");
	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_end(scene, "parked Cancelled | ModuleChanged 1:ux");
	ck_assert_int_eq(walk_retry(scene->walk, 1), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "x -ux");
	ck_end(scene, "rectified Cancelled");
}
END_TEST

START_TEST(of_a_run_that_was_parked_on_its_way_forward_nothing_can_be_skipped)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok .");
	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_skip(scene->walk, 2), -EPERM);
	ck_assert_int_eq(walk_confirm(scene->walk, 2), -EPERM);
	ck_assert_int_eq(walk_retry(scene->walk, 1), -ESTALE);
	ck_end(scene, "parked | ModuleChanged 2:y");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_step_at_which_a_run_was_parked_on_its_way_back_can_be_skipped)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail ok .");
	ck_assert_int_eq(park(scene, ERROR_STORE_MOVED), 0);
	ck_assert_int_eq(walk_confirm(scene->walk, 2), -EPERM);
	ck_assert_int_eq(walk_skip(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "w x y -u1 -uw");
	ck_end(scene, "settled HookFailed 3:y");
	ck_lists(scene, "1:w | 2:x");
}
END_TEST

START_TEST(what_an_operator_has_undone_by_hand_does_not_remain)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail fail fail fail");
	walk_undone_by_hand(scene->walk, 2);
	ck_assert_int_eq(walk_skip(scene->walk, 2), 0);
	walk_undone_by_hand(scene->walk, 2);
	scene_play(scene, "ok");
	ck_end(scene, "settled HookFailed 3:y");
	ck_lists(scene, "1:w |");
}
END_TEST

/* Rule 43 */
START_TEST(a_run_of_which_a_step_was_skipped_ends_settled_whatever_follows)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(v w x y)\nv-uv\nw-uw\nx-ux\ny\nuv\nuw\nux\n", "");

	scene_play(scene, "ok ok ok fail fail fail fail");
	ck_assert_int_eq(walk_skip(scene->walk, 3), 0);
	scene_play(scene, ".");
	ck_assert_int_eq(park(scene, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "fail fail fail");
	ck_end(scene, "parked HookFailed 4:y | RectifierFailed 2:uw");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok ok");
	ck_end(scene, "settled HookFailed 4:y");
	ck_lists(scene, "2:w 1:v | 3:x");
}
END_TEST

/* Rule 38 */
START_TEST(a_programs_time_begins_anew_where_the_run_is_taken_up_again)
{
	_cleanup_scene_ Scene *taken = scene_open("@p(x y) 'timeout':9\nx\ny\n", "");
	_cleanup_scene_ Scene *parked = scene_open("@p(x @q) 'timeout':9\n@q(a b) 'timeout':5\nx\na\nb\n", "");
	_cleanup_scene_ Scene *unseen = scene_open("@p(x y) 'timeout':9\nx\ny\n", "");

	scene_play(taken, "ok .");
	ck_assert_int_eq(walk_taken(taken->walk), 0);
	taken->now_usec = 5; /* of another boot */
	scene_play(taken, "ok .");
	ck_assert_uint_eq(taken->calls[1].deadline_usec, 5 + 9 * USEC_PER_SEC);

	ck_assert_int_eq(walk_taken(unseen->walk), 0);
	unseen->now_usec = 6;
	scene_play(unseen, "ok .");
	ck_assert_uint_eq(unseen->calls[0].deadline_usec, 6 + 9 * USEC_PER_SEC);

	scene_play(parked, "ok ok .");
	ck_assert_int_eq(park(parked, ERROR_MODULE_CHANGED), 0);
	ck_assert_int_eq(walk_retry(parked->walk, 3), 0);
	parked->now_usec = 7;
	scene_play(parked, "ok");
	ck_assert_uint_eq(parked->calls[2].deadline_usec, 7 + 5 * USEC_PER_SEC);
	ck_assert_str_eq(parked->calls[2].deadline_program->name, "q");
}
END_TEST

static const char *stands(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};

	for (uint32_t step = 1; step <= scene->plan->n_steps; step++)
		buffer_format(&text, "%s%s", step > 1 ? " " : "", walk_stand_name(walk_stand(scene->walk, step)));
	free(scene->text);
	scene->text = buffer_take_text(&text);
	return scene->text;
}

START_TEST(each_step_says_how_it_stands)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(a b c d e)\na-u\nb-u\nc\nd\ne\nu\n", "");
	_cleanup_scene_ Scene *doubtful = scene_open("@p(a b)\na-u\nb-u\nu\n", "");

	ck_assert_str_eq(stands(scene), "ahead ahead ahead ahead ahead");
	scene_play(scene, "ok ok ok fail ok .");
	ck_assert_str_eq(stands(scene), "done done done failed ahead");
	scene_play(scene, ".");
	ck_trace(scene, "a b c d -u");
	scene_play(scene, "fail fail fail");
	ck_assert_str_eq(stands(scene), "done reversed done failed ahead");
	ck_assert_int_eq(walk_skip(scene->walk, 1), 0);
	ck_assert_str_eq(stands(scene), "skipped reversed done failed ahead");

	scene_play(doubtful, "ok die .");
	ck_assert_str_eq(stands(doubtful), "done in-doubt");
	ck_assert_ptr_null(walk_stand_name(WALK_STAND_MAX));
}
END_TEST

START_TEST(a_step_whose_arguments_did_not_fit_has_failed)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(a b)\na\nb 'args':{'n':{'type':'int','required':true}}\n", "");

	scene_play(scene, "ok");
	ck_assert_str_eq(stands(scene), "done failed");
}
END_TEST

CHECK_MAIN(walk_park, a_run_parks_between_its_steps_and_a_retry_goes_on_there, a_run_parks_before_its_first_step,
	   a_run_parks_on_its_way_back_and_a_retry_goes_on_there, a_retry_gives_the_call_a_fresh_budget_on_either_way,
	   an_attempt_in_doubt_stays_so_over_a_park_until_a_later_one_is_ok,
	   a_run_that_has_ended_or_is_parked_is_not_parked_again, nothing_but_what_a_daemon_parks_for_parks_a_run,
	   a_call_that_was_named_but_not_made_is_not_made_after_a_park,
	   a_stop_that_waited_for_a_hook_takes_effect_before_the_run_is_parked,
	   of_a_run_that_was_parked_on_its_way_forward_nothing_can_be_skipped,
	   a_step_at_which_a_run_was_parked_on_its_way_back_can_be_skipped,
	   what_an_operator_has_undone_by_hand_does_not_remain,
	   a_run_of_which_a_step_was_skipped_ends_settled_whatever_follows,
	   a_programs_time_begins_anew_where_the_run_is_taken_up_again, each_step_says_how_it_stands,
	   a_step_whose_arguments_did_not_fit_has_failed)
