/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way forward, and where a failure turns it round: rules 7 to 13, 16, 45 and 46. */
#include "tests/scene.h"

#define XY "@p(x y)\nx-ux\ny-uy\nux\nuy\n"
#define OUTPUTS                   \
	"@p(x y)\nx-ux\nux\nuy\n" \
	"y-uy 'outputs':{'n':{'type':'int','required':true},'f':{'type':'float','required':false}}\n"
#define RETRY "'retry':{'attempts':3,'backoff':0.1,'max_backoff':5}"
#define INT "{'type':'int','required':true}"

START_TEST(every_step_done_is_a_success)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok ok");
	ck_trace(scene, "x y");
	ck_end(scene, "succeeded");
	ck_lists(scene, "|");
	ck_assert(!walk_rectifying(scene->walk));
}
END_TEST

START_TEST(a_program_may_have_no_hooks)
{
	scene_check("@p()\nx\n", "", "", "succeeded");
}
END_TEST

START_TEST(dependencies_and_nested_programs_are_steps_like_any_other)
{
	scene_check("@p(x @q s)\n@q(a b)\n@r(c)\nx(d)-ux\nd-ud\na-ua\nb-ub\nc-uc\ns=@r(e)-us\n"
		    "e-ue\nux\nud\nua\nub\nuc\nus\nue\n",
		    "ok ok ok ok ok fail", "d x a b e c -ue -ub -ua -ux -ud", "rectified HookFailed 6:c");
}
END_TEST

/* Rule 7 */
START_TEST(ok_without_every_required_output_is_unknown)
{
	scene_check(OUTPUTS, "ok ok", "x y -uy? -ux", "rectified HookUnknown 2:y");
	scene_check(OUTPUTS, "ok ok:n=1", "x y", "succeeded");
}
END_TEST

START_TEST(an_output_of_another_type_is_unknown_required_or_not)
{
	scene_check(OUTPUTS, "ok ok:n='1'", "x y -uy? -ux", "rectified HookUnknown 2:y");
	scene_check(OUTPUTS, "ok ok:n=1,f='x'", "x y -uy? -ux", "rectified HookUnknown 2:y");
	scene_check(OUTPUTS, "ok ok:n=1,f=2", "x y", "succeeded");
}
END_TEST

/* Rule 8 */
START_TEST(a_step_of_which_any_attempt_was_unknown_is_in_doubt)
{
	scene_check("@p(x y)\nx-ux\ny-uy 'idempotent':true," RETRY "\nux\nuy\n", "ok die fail fail",
		    "x y y#2 y#3 -uy? -ux", "rectified HookFailed 2:y");
}
END_TEST

START_TEST(a_later_ok_attempt_ends_the_doubt)
{
	scene_check("@p(x y)\nx-ux 'idempotent':true," RETRY "\ny-uy\nux\nuy\n", "die ok fail", "x x#2 y -ux",
		    "rectified HookFailed 2:y");
}
END_TEST

/* Rule 9 */
START_TEST(attempts_count_all_calls_of_the_function_the_first_included)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x)\nx " RETRY "\n", "");

	scene_play(scene, "fail fail fail");
	ck_trace(scene, "x x#2 x#3");
	ck_end(scene, "rectified HookFailed 1:x");
	ck_assert_str_eq(scene_waits(scene), "100000 200000");
}
END_TEST

START_TEST(the_backoff_doubles_up_to_its_cap)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(x)\nx 'retry':{'attempts':6,'backoff':0.5,'max_backoff':3}\n", "");

	scene_play(scene, "fail fail fail fail fail ok");
	ck_assert_str_eq(scene_waits(scene), "500000 1000000 2000000 3000000 3000000");
	ck_end(scene, "succeeded");
}
END_TEST

START_TEST(a_further_attempt_does_not_run_the_dependencies_again)
{
	scene_check("@p(x)\nx(d) " RETRY "\nd\n", "ok fail ok", "d x x#2", "succeeded");
}
END_TEST

START_TEST(an_argument_check_that_did_not_pass_is_not_tried_again)
{
	scene_check("@p(w x)\nw-uw\nx 'args':{'n':" INT "}," RETRY "\nuw\n", "ok", "w -uw",
		    "rectified MissingArgument 2:x /n");
}
END_TEST

START_TEST(idempotent_without_retry_is_one_attempt)
{
	scene_check("@p(x)\nx-ux 'idempotent':true\nux\n", "die", "x -ux?", "rectified HookUnknown 1:x");
}
END_TEST

START_TEST(an_unknown_attempt_is_made_again_only_where_it_is_idempotent)
{
	scene_check("@p(x)\nx-ux " RETRY "\nux\n", "late", "x -ux?", "rectified HookTimeout 1:x");
	scene_check("@p(x)\nx-ux 'idempotent':true," RETRY "\nux\n", "late ok", "x x#2", "succeeded");
	scene_check("@p(x)\nx-ux 'idempotent':true," RETRY "\nux\n", "cut cut cut", "x x#2 x#3 -ux?",
		    "rectified Interrupted 1:x");
}
END_TEST

START_TEST(a_call_killed_by_the_programs_timeout_or_a_cancel_is_not_made_again)
{
	scene_check("@p(x)\nx-ux 'idempotent':true," RETRY "\nux\n", "time@p", "x -ux?",
		    "rectified ProgramTimeout 1:x @p");
	scene_check("@p(x)\nx-ux 'idempotent':true," RETRY "\nux\n", "kill", "x -ux?", "rectified Cancelled 1:x");
}
END_TEST

/* Rule 10 */
START_TEST(a_dependencys_failure_is_the_runs_under_its_own_step_and_name)
{
	scene_check("@p(w x)\nw-uw\nx(d)-ux " RETRY "\nd-ud\nuw\nux\nud\n", "ok fail/Why", "w d -uw",
		    "rectified HookFailed 2:d (Why)");
}
END_TEST

/* Rule 11 */
START_TEST(a_hook_without_rectifiers_has_nothing_to_reverse_in_doubt_or_not)
{
	scene_check("@p(x y)\nx\ny\n", "ok die", "x y", "rectified HookUnknown 2:y");
	scene_check("@p(x y z)\nx-ux\ny\nz\nux\n", "ok ok fail", "x y z -ux", "rectified HookFailed 3:z");
}
END_TEST

/* Rule 12 */
START_TEST(a_failed_hook_is_not_rectified)
{
	scene_check(XY, "ok fail", "x y -ux", "rectified HookFailed 2:y");
}
END_TEST

START_TEST(a_step_in_doubt_is_reversed_before_all)
{
	scene_check(XY, "ok die", "x y -uy? -ux", "rectified HookUnknown 2:y");
}
END_TEST

START_TEST(the_rectifiers_of_a_step_run_in_the_order_of_the_spec)
{
	scene_check("@p(x y)\nx-u1-@u2-u3\ny\nu1(d)\nd\n@u2(a b)\na-u1\nb 'irreversible':true\nu3\n", "ok fail",
		    "x y -d -u1 -a -b -u3", "rectified HookFailed 2:y");
}
END_TEST

/* Rule 13 */
#define STAND                                                                        \
	"@p(w s z)\n@q(a b) 'outputs':{'n':{'type':'int','required':false}}\nw-uw\n" \
	"s=@q-us 'outputs':{'n':" INT "}\na-ua\nb-ub\nz\nuw\nus\nua\nub\n"

START_TEST(a_hook_that_stands_for_a_program_is_reversed_before_the_programs_steps)
{
	scene_check(STAND, "ok ok:n=1 ok fail", "w a b z -us -ub -ua -uw", "rectified HookFailed 5:z");
}
END_TEST

START_TEST(a_run_that_ends_inside_a_program_does_not_reverse_the_hook_that_stands_for_it)
{
	scene_check(STAND, "ok ok:n=1 fail", "w a b -ua -uw", "rectified HookFailed 3:b");
	scene_check(STAND, "ok ok:n=1 die", "w a b -ub? -ua -uw", "rectified HookUnknown 3:b");
}
END_TEST

START_TEST(a_hook_that_stands_for_a_program_is_not_done_before_its_own_outputs_have_passed)
{
	scene_check(STAND, "ok ok ok", "w a b -ub -ua -uw", "rectified MissingOutput 4:s /n");
	scene_check(STAND, "ok ok:n=1 ok:n='x'", "w a b -ub -ua -uw", "rectified MissingOutput @q /n");
}
END_TEST

START_TEST(a_hook_that_stands_for_a_program_sees_the_pool_as_the_program_left_it)
{
	_cleanup_scene_ Scene *scene = scene_open(STAND, "");

	scene_play(scene, "ok ok:n=1,x=1 ok:x=2 fail");
	ck_assert_str_eq(scene->seen[4], "n=1 x=2");
	ck_assert_str_eq(scene->seen[5], "n=1 x=2");
	ck_assert_str_eq(scene->seen[6], "n=1 x=1");
}
END_TEST

/* Rule 16 */
START_TEST(a_run_that_would_reverse_an_irreversible_step_parks_before_it_reverses_anything)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x y z)\nx-ux\ny 'irreversible':true\nz\nux\n", "");

	scene_play(scene, "ok ok fail");
	ck_trace(scene, "x y z");
	ck_end(scene, "parked HookFailed 3:z | Irreversible 2:y");
	ck_lists(scene, "| 2:y 1:x");
}
END_TEST

START_TEST(an_irreversible_step_in_doubt_parks_the_run)
{
	scene_check("@p(x)\nx 'irreversible':true\n", "die", "x", "parked HookUnknown 1:x | Irreversible 1:x");
}
END_TEST

START_TEST(an_irreversible_step_that_failed_cleanly_does_not_park_the_run)
{
	scene_check("@p(w x)\nw-uw\nx 'irreversible':true\nuw\n", "ok fail", "w x -uw", "rectified HookFailed 2:x");
}
END_TEST

START_TEST(irreversible_on_a_hook_that_stands_for_a_program_counts_from_its_end_on)
{
#define STAND_IRREVERSIBLE "@p(s z)\n@q(a b)\ns=@q 'irreversible':true\na-ua\nb\nz\nua\n"
	scene_check(STAND_IRREVERSIBLE, "ok fail", "a b -ua", "rectified HookFailed 2:b");
	scene_check(STAND_IRREVERSIBLE, "ok ok fail", "a b z", "parked HookFailed 4:z | Irreversible 3:s");
}
END_TEST

/* Rules 45 and 46 */
START_TEST(rectified_lists_the_steps_whose_rectifiers_ran_newest_first)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(w x y)\nw-uw\nx\ny-uy\nuw\nuy\n", "");

	scene_play(scene, "ok ok die");
	ck_lists(scene, "3:y? 1:w |");
}
END_TEST

START_TEST(rectified_with_empty_lists_is_possible)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "fail");
	ck_end(scene, "rectified HookFailed 1:x");
	ck_lists(scene, "|");
}
END_TEST

START_TEST(a_step_of_which_one_of_two_rectifiers_is_done_remains)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(w x y)\nw-uw\nx-u1-u2\ny\nuw\nu1\nu2\n", "");

	scene_play(scene, "ok ok fail ok fail fail fail");
	ck_trace(scene, "w x y -u1 -u2 -u2#2 -u2#3");
	ck_lists(scene, "| 2:x 1:w");
}
END_TEST

START_TEST(a_programs_check_is_told_by_the_programs_name)
{
	scene_check("@p(x @q)\n@q(y) 'args':{'n':" INT "}\nx-ux\ny\nux\n", "ok", "x -ux",
		    "rectified MissingArgument @q /n");
	scene_check("@p(x @q)\n@q(y) 'args':{'n':" INT "}\nx-ux\ny\nux\n", "ok:n='1'", "x -ux",
		    "rectified WrongType @q /n");
}
END_TEST

START_TEST(a_check_of_a_hook_that_stands_for_a_program_is_told_by_its_step_and_name)
{
	scene_check("@p(w s)\n@q(t)\n@r(a)\nw\ns=@q 'args':{'n':" INT "},'bind':{'n':'m'}\nt=@r\na\n", "", "w",
		    "rectified MissingArgument 4:s /m");
}
END_TEST

CHECK_MAIN(walk, every_step_done_is_a_success, a_program_may_have_no_hooks,
	   dependencies_and_nested_programs_are_steps_like_any_other, ok_without_every_required_output_is_unknown,
	   an_output_of_another_type_is_unknown_required_or_not, a_step_of_which_any_attempt_was_unknown_is_in_doubt,
	   a_later_ok_attempt_ends_the_doubt, attempts_count_all_calls_of_the_function_the_first_included,
	   the_backoff_doubles_up_to_its_cap, a_further_attempt_does_not_run_the_dependencies_again,
	   an_argument_check_that_did_not_pass_is_not_tried_again, idempotent_without_retry_is_one_attempt,
	   an_unknown_attempt_is_made_again_only_where_it_is_idempotent,
	   a_call_killed_by_the_programs_timeout_or_a_cancel_is_not_made_again,
	   a_dependencys_failure_is_the_runs_under_its_own_step_and_name,
	   a_hook_without_rectifiers_has_nothing_to_reverse_in_doubt_or_not, a_failed_hook_is_not_rectified,
	   a_step_in_doubt_is_reversed_before_all, the_rectifiers_of_a_step_run_in_the_order_of_the_spec,
	   a_hook_that_stands_for_a_program_is_reversed_before_the_programs_steps,
	   a_run_that_ends_inside_a_program_does_not_reverse_the_hook_that_stands_for_it,
	   a_hook_that_stands_for_a_program_is_not_done_before_its_own_outputs_have_passed,
	   a_hook_that_stands_for_a_program_sees_the_pool_as_the_program_left_it,
	   a_run_that_would_reverse_an_irreversible_step_parks_before_it_reverses_anything,
	   an_irreversible_step_in_doubt_parks_the_run, an_irreversible_step_that_failed_cleanly_does_not_park_the_run,
	   irreversible_on_a_hook_that_stands_for_a_program_counts_from_its_end_on,
	   rectified_lists_the_steps_whose_rectifiers_ran_newest_first, rectified_with_empty_lists_is_possible,
	   a_step_of_which_one_of_two_rectifiers_is_done_remains, a_programs_check_is_told_by_the_programs_name,
	   a_check_of_a_hook_that_stands_for_a_program_is_told_by_its_step_and_name)
