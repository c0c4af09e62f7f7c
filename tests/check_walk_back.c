/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way back: rectifiers' budgets, what parks a run, and an operator's verbs (rules 14, 15, 17 and 43). */
#include <errno.h>

#include "tests/scene.h"

#define WXY "@p(w x y)\nw-uw\nx-u1-u2\ny\nuw\nu1\nu2\n"
#define IRREVERSIBLE "@p(w x y)\nw-uw\nx 'irreversible':true\ny-uy\nuw\nuy\n"

/* Rule 14 */
START_TEST(each_call_in_a_rectifier_has_three_attempts_unless_it_declares_its_own)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(x y)\nx-u1-u2\ny\nu1\nu2 'retry':{'attempts':5,'backoff':1,'max_backoff':3}\n", "");

	scene_play(scene, "ok fail fail fail ok fail fail fail fail ok");
	ck_trace(scene, "x y -u1 -u1#2 -u1#3 -u2 -u2#2 -u2#3 -u2#4 -u2#5");
	ck_assert_str_eq(scene_waits(scene), "100000 200000 1000000 2000000 3000000 3000000");
	ck_end(scene, "rectified HookFailed 2:y");
}
END_TEST

START_TEST(a_rectifiers_budget_counts_anew_for_every_step)
{
	scene_check("@p(x y z)\nx-u\ny-u\nz\nu\n", "ok ok fail fail fail ok fail fail ok",
		    "x y z -u -u#2 -u#3 -u -u#2 -u#3", "rectified HookFailed 3:z");
}
END_TEST

START_TEST(a_rectifying_call_is_repeated_alone)
{
	scene_check("@p(x y)\nx-u1-u2\ny\nu1(d)\nd\nu2\n", "ok fail ok fail ok fail ok", "x y -d -u1 -u1#2 -u2 -u2#2",
		    "rectified HookFailed 2:y");
}
END_TEST

START_TEST(failed_unknown_and_incomplete_attempts_of_a_rectifier_are_all_made_again)
{
	scene_check("@p(x y)\nx-u\ny\nu 'outputs':{'n':{'type':'int','required':true}},"
		    "'retry':{'attempts':6,'backoff':1,'max_backoff':1}\n",
		    "ok fail fail die late cut ok ok:n=1", "x y -u -u#2 -u#3 -u#4 -u#5 -u#6",
		    "rectified HookFailed 2:y");
}
END_TEST

START_TEST(the_writes_of_a_rectifiers_attempt_that_was_not_ok_are_dropped)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x y)\nx-u-v\ny\nu\nv\n", "");

	scene_play(scene, "ok fail fail:n=1 ok:m=2 ok");
	ck_assert_str_eq(scene->seen[3], "");
	ck_assert_str_eq(scene->seen[4], "m=2");
}
END_TEST

START_TEST(in_doubt_speaks_of_the_step_never_of_the_rectifiers_own_attempt)
{
	scene_check("@p(x y)\nx-ux\ny-uy\nux\nuy\n", "ok die die ok die ok", "x y -uy? -uy?#2 -ux -ux#2",
		    "rectified HookUnknown 2:y");
}
END_TEST

START_TEST(a_run_parks_where_a_rectifiers_budget_is_spent_and_earlier_steps_are_not_touched)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail ok die fail late");
	ck_trace(scene, "w x y -u1 -u2 -u2#2 -u2#3");
	ck_end(scene, "parked HookFailed 3:y | RectifierFailed 2:u2");
	ck_lists(scene, "| 2:x 1:w");
}
END_TEST

/* Rule 15 */
START_TEST(an_argument_check_that_does_not_pass_inside_a_rectifier_parks_at_once)
{
	scene_check("@p(w x y)\nw\nx-u\ny\nu 'args':{'n':{'type':'int','required':true}}\n", "ok ok fail", "w x y",
		    "parked HookFailed 3:y | RectifierFailed 2:u /n");
}
END_TEST

START_TEST(a_check_of_a_rectifying_program_parks_at_once)
{
	scene_check("@p(w x y)\n@q(a) 'args':{'n':{'type':'int','required':true}}\nw\nx-@q\ny\na\n", "ok ok fail",
		    "w x y", "parked HookFailed 3:y | RectifierFailed 2: @q /n");
	scene_check("@p(x y)\n@q(a) 'outputs':{'n':{'type':'int','required':true}}\nx-@q\ny\na\n", "ok fail", "x y -a",
		    "parked HookFailed 2:y | RectifierFailed 1: @q /n");
}
END_TEST

START_TEST(a_retry_after_a_check_that_parked_the_run_makes_the_check_again)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(w x y)\nw\nx-u\ny\nu(d) 'args':{'n':{'type':'int','required':true}}\nd\n", "");
	Value one = { .type = VALUE_INT, .integer = 1 };

	scene_play(scene, "ok ok fail ok");
	ck_trace(scene, "w x y -d");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "");
	ck_end(scene, "parked HookFailed 3:y | RectifierFailed 2:u /n");
	ck_assert_int_eq(pool_set(walk_pool(scene->walk), plan_key(scene->plan, "n"), &one), 0);
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "w x y -d -u");
	ck_end(scene, "rectified HookFailed 3:y");
}
END_TEST

/* Rule 17 */
START_TEST(an_operators_retry_goes_on_at_the_call_that_stopped_the_run_with_a_fresh_budget)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail ok fail fail fail");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	ck_end(scene, "running HookFailed 3:y");
	scene_play(scene, "fail fail ok ok");
	ck_trace(scene, "w x y -u1 -u2 -u2#2 -u2#3 -u2 -u2#2 -u2#3 -uw");
	ck_end(scene, "rectified HookFailed 3:y");
	ck_lists(scene, "2:x 1:w |");
}
END_TEST

START_TEST(a_retry_may_park_again)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail fail fail fail");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "die die die");
	ck_end(scene, "parked HookFailed 3:y | RectifierFailed 2:u1");
}
END_TEST

START_TEST(a_retry_of_a_run_that_is_parked_as_irreversible_changes_nothing)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");

	scene_play(scene, "ok ok fail");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "");
	ck_trace(scene, "w x y");
	ck_end(scene, "parked HookFailed 3:y | Irreversible 2:x");
}
END_TEST

/* Rule 43 */
START_TEST(verbs_name_the_step_that_the_run_stands_at)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	ck_assert_int_eq(walk_retry(scene->walk, 2), -EBUSY);
	ck_assert_int_eq(walk_skip(scene->walk, 2), -EBUSY);
	ck_assert_int_eq(walk_confirm(scene->walk, 2), -EBUSY);
	scene_play(scene, "ok ok fail fail fail fail");
	ck_assert_int_eq(walk_retry(scene->walk, 1), -ESTALE);
	ck_assert_int_eq(walk_skip(scene->walk, 3), -ESTALE);
	ck_assert_int_eq(walk_confirm(scene->walk, 1), -ESTALE);
	ck_end(scene, "parked HookFailed 3:y | RectifierFailed 2:u1");
}
END_TEST

START_TEST(skip_leaves_the_step_and_goes_on_with_those_before_it)
{
	_cleanup_scene_ Scene *scene = scene_open(WXY, "");

	scene_play(scene, "ok ok fail fail fail fail");
	ck_assert_int_eq(walk_skip(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "w x y -u1 -u1#2 -u1#3 -uw");
	ck_end(scene, "settled HookFailed 3:y");
	ck_lists(scene, "1:w | 2:x");
}
END_TEST

START_TEST(skip_of_an_irreversible_step_reverses_the_others)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");

	scene_play(scene, "ok ok die");
	ck_end(scene, "parked HookUnknown 3:y | Irreversible 2:x");
	ck_assert_int_eq(walk_skip(scene->walk, 2), 0);
	scene_play(scene, "ok ok");
	ck_trace(scene, "w x y -uy? -uw");
	ck_end(scene, "settled HookUnknown 3:y");
	ck_lists(scene, "3:y? 1:w | 2:x");
}
END_TEST

START_TEST(every_irreversible_step_parks_the_run_until_it_is_skipped)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(w x y)\nw 'irreversible':true\nx 'irreversible':true\ny\n", "");

	scene_play(scene, "ok ok fail");
	ck_assert_int_eq(walk_skip(scene->walk, 2), 0);
	ck_end(scene, "parked HookFailed 3:y | Irreversible 1:w");
	ck_assert_int_eq(walk_skip(scene->walk, 1), 0);
	ck_end(scene, "settled HookFailed 3:y");
	ck_lists(scene, "| 2:x 1:w");
}
END_TEST

START_TEST(confirm_says_that_a_step_in_doubt_took_effect_and_the_run_goes_on_forwards)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");

	scene_play(scene, "ok die");
	ck_end(scene, "parked HookUnknown 2:x | Irreversible 2:x");
	ck_assert_int_eq(walk_confirm(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "w x y");
	ck_end(scene, "settled");
	ck_lists(scene, "|");
}
END_TEST

START_TEST(confirm_of_a_step_that_is_done_tries_the_failed_one_again)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");

	scene_play(scene, "ok ok fail");
	ck_assert_int_eq(walk_confirm(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "w x y y");
	ck_end(scene, "settled");
}
END_TEST

START_TEST(confirm_is_refused_where_the_run_could_not_go_on_forwards)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");
	_cleanup_scene_ Scene *other = scene_open(WXY, "");

	scene_play(scene, "ok ok die");
	ck_assert_int_eq(walk_confirm(scene->walk, 2), -EPERM);
	scene_play(other, "ok ok fail fail fail fail");
	ck_assert_int_eq(walk_confirm(other->walk, 2), -EPERM);
}
END_TEST

START_TEST(a_run_that_fails_again_after_a_confirm_parks_again)
{
	_cleanup_scene_ Scene *scene = scene_open(IRREVERSIBLE, "");

	scene_play(scene, "ok die");
	ck_assert_int_eq(walk_confirm(scene->walk, 2), 0);
	scene_play(scene, "fail");
	ck_end(scene, "parked HookFailed 3:y | Irreversible 2:x");
	ck_lists(scene, "| 2:x 1:w");
}
END_TEST

CHECK_MAIN(walk_back, a_retry_after_a_check_that_parked_the_run_makes_the_check_again,
	   each_call_in_a_rectifier_has_three_attempts_unless_it_declares_its_own,
	   a_rectifiers_budget_counts_anew_for_every_step, a_rectifying_call_is_repeated_alone,
	   failed_unknown_and_incomplete_attempts_of_a_rectifier_are_all_made_again,
	   the_writes_of_a_rectifiers_attempt_that_was_not_ok_are_dropped,
	   in_doubt_speaks_of_the_step_never_of_the_rectifiers_own_attempt,
	   a_run_parks_where_a_rectifiers_budget_is_spent_and_earlier_steps_are_not_touched,
	   an_argument_check_that_does_not_pass_inside_a_rectifier_parks_at_once,
	   a_check_of_a_rectifying_program_parks_at_once,
	   an_operators_retry_goes_on_at_the_call_that_stopped_the_run_with_a_fresh_budget, a_retry_may_park_again,
	   a_retry_of_a_run_that_is_parked_as_irreversible_changes_nothing, verbs_name_the_step_that_the_run_stands_at,
	   skip_leaves_the_step_and_goes_on_with_those_before_it, skip_of_an_irreversible_step_reverses_the_others,
	   every_irreversible_step_parks_the_run_until_it_is_skipped,
	   confirm_says_that_a_step_in_doubt_took_effect_and_the_run_goes_on_forwards,
	   confirm_of_a_step_that_is_done_tries_the_failed_one_again,
	   confirm_is_refused_where_the_run_could_not_go_on_forwards,
	   a_run_that_fails_again_after_a_confirm_parks_again)
