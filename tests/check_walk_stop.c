/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stops a run from outside: cancels, timeouts, interruptions (rule 18), and when a call's time is up. */
#include <errno.h>

#include "tests/scene.h"

#define XY "@p(x y)\nx-ux\ny-uy\nux\nuy\n"
#define RETRY "'retry':{'attempts':3,'backoff':0.1,'max_backoff':5}"

/* Rule 18 */
START_TEST(a_cancel_takes_effect_when_the_running_hook_has_ended)
{
	scene_check(XY, "+cancel ok", "x -ux", "rectified Cancelled");
	scene_check(XY, "ok !cancel", "x -ux", "rectified Cancelled");
	scene_check(XY, "!cancel", "", "rectified Cancelled");
}
END_TEST

START_TEST(a_hook_that_fails_while_a_cancel_waits_for_it_is_what_made_the_run_fail)
{
	scene_check(XY, "ok +cancel fail", "x y -ux", "rectified HookFailed 2:y");
	scene_check(XY, "ok +cancel die", "x y -uy? -ux", "rectified HookUnknown 2:y");
}
END_TEST

START_TEST(a_stop_ends_the_waiting_for_a_further_attempt)
{
	scene_check("@p(w x)\nw-uw\nx-ux " RETRY "\nuw\nux\n", "ok fail !cancel", "w x -uw", "rectified Cancelled 2:x");
	scene_check("@p(w x)\nw-uw\nx-ux " RETRY "\nuw\nux\n", "ok +cancel fail", "w x -uw", "rectified Cancelled 2:x");
	scene_check("@p(w x)\nw-uw\nx-ux 'idempotent':true," RETRY "\nuw\nux\n", "ok die !time@p", "w x -ux? -uw",
		    "rectified ProgramTimeout 2:x @p");
	scene_check("@p(w x)\nw-uw\nx-ux 'idempotent':true," RETRY "\nuw\nux\n", "ok die fail !cut", "w x x#2 -ux? -uw",
		    "rectified Interrupted 2:x");
}
END_TEST

START_TEST(a_stop_never_ends_a_reversal)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok fail +cancel ok");
	ck_assert_int_eq(scene->stopped, -EALREADY);
	ck_trace(scene, "x y -ux");
	ck_end(scene, "rectified HookFailed 2:y");
}
END_TEST

START_TEST(a_cancel_is_refused_once_an_irreversible_step_is_done)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x y)\nx 'irreversible':true\ny\n", "");

	scene_play(scene, "ok !cancel ok");
	ck_assert_int_eq(scene->stopped, -EPERM);
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_cancel_is_refused_when_nothing_is_left_to_run)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok ok !cancel");
	ck_assert_int_eq(scene->stopped, -EPERM);
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_cancel_that_comes_too_late_while_a_hook_runs_is_void)
{
	scene_check(XY, "ok +cancel ok", "x y", "succeeded");
	scene_check("@p(x y)\nx 'irreversible':true\ny\n", "+cancel ok ok", "x y", "succeeded");
}
END_TEST

START_TEST(a_call_that_was_named_but_not_made_is_not_made_after_a_stop)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");
	WalkAction action;

	scene_play(scene, "ok .");
	ck_assert_int_eq(walk_next(scene->walk, scene->now_usec, &action), 0);
	ck_assert_uint_eq(action.step, 2);
	ck_assert_int_eq(walk_stop(scene->walk, ERROR_PROGRAM_TIMEOUT, "p", NULL), 0);
	ck_assert_int_eq(walk_stop(scene->walk, ERROR_CANCELLED, NULL, NULL), -EALREADY);
	scene_play(scene, "ok");
	ck_trace(scene, "x -ux");
	ck_end(scene, "rectified ProgramTimeout @p");
}
END_TEST

START_TEST(a_call_repeats_itself_until_its_end_has_come_in)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");
	Outcome ok = { .kind = OUTCOME_OK };
	WalkAction action;

	ck_assert_int_eq(walk_ended(scene->walk, &ok), -EINVAL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(walk_next(scene->walk, scene->now_usec, &action), 0);
		ck_assert_int_eq(action.kind, WALK_CALL);
		ck_assert_uint_eq(action.step, 1);
	}
	ck_assert_int_eq(walk_ended(scene->walk, &ok), 0);
	ck_assert_int_eq(walk_ended(scene->walk, &ok), -EINVAL);
}
END_TEST

/* Deadlines */
START_TEST(the_earliest_of_the_hooks_and_its_programs_timeouts_is_the_deadline)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(x @q y) 'timeout':10\n@q(a b) 'timeout':3\nx 'timeout':2\na 'timeout':5\nb\ny\n", "");
	uint64_t start = scene->now_usec;

	scene_play(scene, "ok .");
	ck_assert_uint_eq(scene->calls[0].deadline_usec, start + 2 * USEC_PER_SEC);
	ck_assert_ptr_null(scene->calls[0].deadline_program);
	scene->now_usec = start + 4 * USEC_PER_SEC;
	scene_play(scene, "ok .");
	ck_assert_uint_eq(scene->calls[1].deadline_usec, start + 7 * USEC_PER_SEC);
	ck_assert_str_eq(scene->calls[1].deadline_program->name, "q");
	scene->now_usec = start + 6 * USEC_PER_SEC;
	scene_play(scene, "ok ok");
	ck_assert_uint_eq(scene->calls[2].deadline_usec, start + 7 * USEC_PER_SEC);
	ck_assert_uint_eq(scene->calls[3].deadline_usec, start + 10 * USEC_PER_SEC);
	ck_assert_str_eq(scene->calls[3].deadline_program->name, "p");
}
END_TEST

START_TEST(a_hooks_timeout_counts_anew_for_each_attempt)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x)\nx 'timeout':2," RETRY "\n", "");
	uint64_t start = scene->now_usec;

	scene_play(scene, "fail .");
	scene->now_usec = start + USEC_PER_SEC;
	scene_play(scene, "ok");
	ck_assert_uint_eq(scene->calls[1].deadline_usec, start + 3 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_programs_timeout_does_not_hold_on_the_way_back)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(x y) 'timeout':1\n@u(ux) 'timeout':1\nx-@u\ny\nux 'timeout':7\n", "");

	scene_play(scene, "ok fail");
	ck_trace(scene, "x y -ux");
	ck_assert_uint_eq(scene->calls[2].deadline_usec, scene->now_usec + 7 * USEC_PER_SEC);
	ck_assert_ptr_null(scene->calls[2].deadline_program);
}
END_TEST

START_TEST(a_programs_deadline_holds_while_an_attempt_is_waited_for)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x) 'timeout':9\nx 'timeout':2," RETRY "\n", "");
	WalkAction action;

	scene_play(scene, "fail .");
	ck_assert_int_eq(walk_next(scene->walk, scene->now_usec, &action), 0);
	ck_assert_int_eq(action.kind, WALK_WAIT);
	ck_assert_uint_eq(action.deadline_usec, scene->now_usec + 9 * USEC_PER_SEC);
	ck_assert_str_eq(action.deadline_program->name, "p");
}
END_TEST

CHECK_MAIN(walk_stop, a_cancel_takes_effect_when_the_running_hook_has_ended,
	   a_hook_that_fails_while_a_cancel_waits_for_it_is_what_made_the_run_fail,
	   a_stop_ends_the_waiting_for_a_further_attempt, a_stop_never_ends_a_reversal,
	   a_cancel_is_refused_once_an_irreversible_step_is_done, a_cancel_is_refused_when_nothing_is_left_to_run,
	   a_cancel_that_comes_too_late_while_a_hook_runs_is_void,
	   a_call_that_was_named_but_not_made_is_not_made_after_a_stop, a_call_repeats_itself_until_its_end_has_come_in,
	   the_earliest_of_the_hooks_and_its_programs_timeouts_is_the_deadline,
	   a_hooks_timeout_counts_anew_for_each_attempt, a_programs_timeout_does_not_hold_on_the_way_back,
	   a_programs_deadline_holds_while_an_attempt_is_waited_for)
