/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of which not all is known: parked as damaged, or barred from going on forwards. */
#include <errno.h>

#include "tests/scene.h"

#define XY "@p(x y)\nx-ux\ny-uy\nux\nuy\n"

static int park(Scene *scene, ErrorCode code)
{
	return walk_park(scene->walk, code, "it may not go on");
}

START_TEST(a_retry_of_a_damaged_run_reverses_what_is_known_and_settles_it)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");
	_cleanup_scene_ Scene *first = scene_open(XY, "");

	scene_play(scene, "ok .");
	ck_assert_int_eq(park(scene, ERROR_DAMAGED), 0);
	ck_end(scene, "parked | Damaged 2:y");
	ck_lists(scene, "| 2:y? 1:x");
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "x -ux");
	ck_end(scene, "settled Interrupted");
	ck_lists(scene, "1:x | 2:y?");
	ck_assert_int_eq(park(first, ERROR_DAMAGED), 0);
	ck_assert_int_eq(walk_retry(first->walk, 1), 0);
	scene_play(first, "");
	ck_end(first, "settled Interrupted");
}
END_TEST

START_TEST(what_lay_ahead_of_a_damaged_run_remains_in_doubt)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x y z w)\nx-ux\ny-uy\nz\nw 'irreversible':true\nux\nuy", "");
	_cleanup_scene_ Scene *back = scene_open("@p(x y z)\nx-ux\ny\nz-uz\nux\nuz", "");

	scene_play(scene, "ok .");
	ck_assert_int_eq(park(scene, ERROR_DAMAGED), 0);
	ck_lists(scene, "| 4:w? 2:y? 1:x");
	ck_assert_int_eq(walk_stand(scene->walk, 3), WALK_STAND_DOUBT);
	ck_assert_int_eq(walk_retry(scene->walk, 2), 0);
	scene_play(scene, "ok");
	ck_end(scene, "settled Interrupted");
	ck_lists(scene, "1:x | 4:w? 2:y?");

	scene_play(back, "ok fail .");
	ck_assert_int_eq(park(back, ERROR_DAMAGED), 0);
	ck_lists(back, "| 1:x");
}
END_TEST

START_TEST(an_attempt_in_doubt_of_a_damaged_run_is_reversed_by_a_retry)
{
	_cleanup_scene_ Scene *scene =
		scene_open("@p(x)\nx-ux 'idempotent':true,'retry':{'attempts':3,'backoff':1,'max_backoff':1}\nux", "");

	scene_play(scene, "die .");
	ck_assert_int_eq(park(scene, ERROR_DAMAGED), 0);
	ck_lists(scene, "| 1:x?");
	ck_assert_int_eq(walk_retry(scene->walk, 1), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "x -ux?");
	ck_end(scene, "settled Interrupted");
}
END_TEST

START_TEST(a_retry_of_a_run_that_was_damaged_on_its_way_back_goes_on_there)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok fail .");
	ck_assert_int_eq(park(scene, ERROR_DAMAGED), 0);
	ck_assert_int_eq(walk_retry(scene->walk, 1), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "x y -ux");
	ck_end(scene, "settled HookFailed 2:y");
}
END_TEST

START_TEST(a_barred_run_is_rectified)
{
	_cleanup_scene_ Scene *scene = scene_open(XY, "");

	scene_play(scene, "ok .");
	ck_assert_int_eq(walk_bar(scene->walk, "who knows"), 0);
	scene_play(scene, "ok");
	ck_trace(scene, "x -ux");
	ck_end(scene, "rectified Interrupted");
}
END_TEST

START_TEST(a_barred_run_is_not_confirmed)
{
	static const char spec[] = "@p(x y)\nx 'irreversible':true\ny";
	_cleanup_scene_ Scene *free_one = scene_open(spec, "");
	_cleanup_scene_ Scene *scene = scene_open(spec, "");

	scene_play(free_one, "die .");
	scene_play(free_one, "");
	ck_assert_int_eq(walk_confirm(free_one->walk, 1), 0);
	scene_play(scene, "die .");
	ck_assert_int_eq(walk_bar(scene->walk, NULL), 0);
	scene_play(scene, "");
	ck_end(scene, "parked HookUnknown 1:x | Irreversible 1:x");
	ck_assert_int_eq(walk_confirm(scene->walk, 1), -EPERM);
	ck_assert_int_eq(walk_skip(scene->walk, 1), 0);
	scene_play(scene, "");
	ck_end(scene, "settled HookUnknown 1:x");
}
END_TEST

CHECK_MAIN(walk_damaged, a_retry_of_a_damaged_run_reverses_what_is_known_and_settles_it,
	   what_lay_ahead_of_a_damaged_run_remains_in_doubt,
	   an_attempt_in_doubt_of_a_damaged_run_is_reversed_by_a_retry,
	   a_retry_of_a_run_that_was_damaged_on_its_way_back_goes_on_there, a_barred_run_is_rectified,
	   a_barred_run_is_not_confirmed)
