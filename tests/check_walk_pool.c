/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What hooks see, and what is left of it: rules 19 to 25. */
#include "tests/scene.h"

#define INT "{'type':'int','required':true}"
#define OPTIONAL "{'type':'int','required':false}"

/* Opens, plays, and compares what each call saw: "…|…". */
static void ck_seen(const char *spec, const char *data, const char *script, const char *seen)
{
	_cleanup_scene_ Scene *scene = scene_open(spec, data);
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ char *got = NULL;

	scene_play(scene, script);
	for (size_t i = 0; i < scene->n_calls; i++)
		buffer_format(&text, "%s%s", i ? "|" : "", scene->seen[i]);
	got = buffer_take_text(&text);
	ck_assert_str_eq(got, seen);
}

/* Rule 19 */
START_TEST(a_nested_program_works_on_the_runs_pool_and_all_its_writes_stay)
{
	ck_seen("@p(x @q y) 'args':{'a':" INT "}\n@q(z) 'outputs':{'o':" OPTIONAL "}\nx\ny\nz\n", "a=1",
		"ok:b=2 ok:b=3,c=4,o=5", "a=1|a=1 b=2|a=1 b=3 c=4 o=5");
}
END_TEST

START_TEST(a_programs_outputs_are_masked_only_in_the_reply)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x) 'outputs':{'o':" OPTIONAL ",'n':" OPTIONAL "}\nx\n", "");

	scene_play(scene, "ok:o=5,secret=6");
	ck_assert_str_eq(scene_outputs(scene), "o=5");
	ck_assert_str_eq(scene_pool(scene), "o=5 secret=6");
}
END_TEST

/* Rule 20 */
#define DEFAULT(n) "{'type':'int','required':true,'default':" #n "}"

START_TEST(a_default_of_a_programs_argument_is_added_where_that_program_begins)
{
	ck_seen("@p(x @q y) 'args':{'a':" DEFAULT(1) "}\n@q(z) 'args':{'b':" DEFAULT(2) ",'c':" DEFAULT(
			3) "}\nx\ny\nz\n",
		"", "ok:c=9", "a=1|a=1 b=2 c=9|a=1 b=2 c=9");
	ck_seen("@p(x) 'args':{'a':" DEFAULT(1) "}\nx\n", "a=7", "", "a=7");
}
END_TEST

START_TEST(a_default_on_a_hook_that_stands_for_a_program_comes_before_that_programs)
{
	ck_seen("@p(s)\n@q(z) 'args':{'b':" DEFAULT(2) ",'c':" DEFAULT(3) "}\ns=@q(d) 'args':{'b':" DEFAULT(
			8) "}\nd\nz\n",
		"", "", "|b=8 c=3");
}
END_TEST

START_TEST(a_default_of_a_functions_argument_is_seen_by_the_function_alone)
{
	ck_seen("@p(x y)\nx 'args':{'a':" DEFAULT(1) "}\ny\n", "", "ok ok", "|");
}
END_TEST

START_TEST(a_default_does_not_excuse_another_type)
{
	scene_check("@p(x y)\nx-ux\ny 'args':{'a':" DEFAULT(1) "}\nux\n", "ok:a='1'", "x -ux",
		    "rectified WrongType 2:y /a");
}
END_TEST

/* Rule 21 */
START_TEST(bind_holds_for_the_hook_and_all_that_it_brings)
{
	static const char spec[] = "@p(x z)\n@q(y) 'args':{'n':" INT "}\n"
				   "x=@q(d)-u 'bind':{'n':'m'},'args':{'n':" INT "}\n"
				   "d 'outputs':{'n':" INT "}\ny 'args':{'n':" INT "},'bind':{'k':'n'}\n"
				   "u 'args':{'n':" INT "},'outputs':{'n':" INT "}\nz\n";

	ck_seen(spec, "", "ok:n=1 ok:k=2 fail ok:n=3", "|m=1|m=2|m=2");
}
END_TEST

START_TEST(a_name_goes_through_each_bind_once_outwards)
{
	ck_seen("@p(x y)\n@q(z)\nx=@q 'bind':{'a':'b','b':'c'}\nz 'bind':{'c':'a','b':'a'}\ny\n", "", "ok:a=1,b=2,c=3",
		"|b=3");
	ck_seen("@p(x y)\nx 'bind':{'a':'b','b':'a'}\ny\n", "", "ok:a=1,b=2", "|a=2 b=1");
}
END_TEST

START_TEST(a_check_names_the_key_in_the_pool)
{
	scene_check("@p(w x)\nw-uw\nuw\nx 'args':{'n':" INT "},'bind':{'n':'m'}\n", "ok:n=1", "w -uw",
		    "rectified MissingArgument 2:x /m");
}
END_TEST

/* Rule 22 */
START_TEST(a_hooks_writes_enter_the_pool_only_when_it_ends_ok)
{
	ck_seen("@p(x y)\nx-ux 'retry':{'attempts':3,'backoff':0,'max_backoff':0}\ny\nux\n", "", "fail:a=1 ok:b=2 ok",
		"||b=2");
}
END_TEST

START_TEST(a_rectifier_sees_the_pool_as_its_step_left_it)
{
	ck_seen("@p(x y z)\nx-ux\ny-uy\nz\nux\nuy\n", "", "ok:a=1 ok:a=2,b=2 fail ok ok", "|a=1|a=2 b=2|a=2 b=2|a=1");
}
END_TEST

START_TEST(in_doubt_a_rectifier_sees_the_pool_as_its_step_found_it)
{
	ck_seen("@p(x y)\nx-ux\ny-uy\nux\nuy\n", "", "ok:a=1 die:a=2 ok ok", "|a=1|a=1|a=1");
}
END_TEST

START_TEST(what_rectifiers_wrote_lies_over_the_rewound_pool)
{
	ck_seen("@p(x y z)\nx-ux\ny-uy-vy\nz\nux\nuy\nvy\n", "", "ok:a=1 ok:a=2 fail ok:a=7,c=8 ok:c=9 ok",
		"|a=1|a=2|a=2|a=7 c=8|a=7 c=9");
}
END_TEST

START_TEST(defaults_added_by_a_rectifying_program_lie_over_the_rewound_pool)
{
	ck_seen("@p(x y z)\n@q(c) 'args':{'d':" DEFAULT(4) "}\nx-ux\ny-@q\nz\nux\nc\n", "", "ok ok:b=2 fail ok ok",
		"||b=2|b=2 d=4|d=4");
}
END_TEST

/* Rule 23 */
#define ENDS                                                                                               \
	"@p(x y z) 'args':{'a':" DEFAULT(1) "},'outputs':{'a':" OPTIONAL ",'b':" OPTIONAL ",'c':" OPTIONAL \
					    "}\nx-ux\ny-uy\nz\nux\nuy\n"

static void ck_left(const char *spec, const char *script, const char *outputs, const char *pool)
{
	_cleanup_scene_ Scene *scene = scene_open(spec, "");

	scene_play(scene, script);
	ck_assert_str_eq(scene_outputs(scene), outputs);
	ck_assert_str_eq(scene_pool(scene), pool);
}

START_TEST(after_succeeded_the_pool_is_left_as_it_is)
{
	ck_left(ENDS, "ok:a=2 ok:b=3 ok:d=4", "a=2 b=3", "a=2 b=3 d=4");
}
END_TEST

START_TEST(after_rectified_the_pool_is_the_one_with_which_the_run_began_under_the_rectifiers_writes)
{
	ck_left(ENDS, "ok:a=2 ok:b=3 fail ok:c=5 ok", "a=1 c=5", "a=1 c=5");
	ck_left(ENDS, "fail", "a=1", "a=1");
}
END_TEST

START_TEST(after_parked_the_pool_is_the_one_that_the_call_saw_which_stopped_the_run)
{
	ck_left(ENDS, "ok:a=2 ok:b=3 fail ok:c=5 fail fail fail", "a=2 c=5", "a=2 c=5");
	ck_left("@p(x y) 'outputs':{'a':" OPTIONAL "}\nx 'irreversible':true\ny\n", "ok:a=2 fail:a=3", "a=2", "a=2");
}
END_TEST

/* Rule 24 */
START_TEST(an_int_is_accepted_where_a_float_is_asked_for_and_the_pool_keeps_the_int)
{
	static const char spec[] = "@p(x y)\nx 'outputs':{'f':{'type':'float','required':true}}\n"
				   "y 'args':{'f':{'type':'float','required':true}}\n";

	ck_seen(spec, "", "ok:f=2 ok", "|f=2");
	ck_seen(spec, "", "ok:f=2.5 ok", "|f=2.5");
}
END_TEST

START_TEST(nothing_else_is_converted)
{
	scene_check("@p(w x)\nw-uw\nx 'args':{'n':" INT "}\nuw\n", "ok:n=1.0", "w -uw", "rectified WrongType 2:x /n");
	scene_check("@p(w x)\nw-uw\nx 'args':{'n':{'type':'bool','required':false}}\nuw\n", "ok:n=1", "w -uw",
		    "rectified WrongType 2:x /n");
}
END_TEST

/* Rule 25 */
START_TEST(a_missing_required_output_of_the_program_fails_the_run_after_its_last_step)
{
	scene_check("@p(x y) 'outputs':{'n':" INT "}\nx-ux\ny-uy\nux\nuy\n", "ok ok", "x y -uy -ux",
		    "rectified MissingOutput @p /n");
}
END_TEST

START_TEST(a_present_output_of_another_type_fails_the_run_after_its_last_step)
{
	scene_check("@p(x y) 'outputs':{'n':" OPTIONAL "}\nx-ux\ny-uy\nux\nuy\n", "ok ok:n='x'", "x y -uy -ux",
		    "rectified MissingOutput @p /n");
	scene_check("@p(x) 'outputs':{'n':" OPTIONAL "}\nx\n", "ok", "x", "succeeded");
}
END_TEST

START_TEST(a_run_begins_with_encoded_arguments_whatever_their_names)
{
	_cleanup_scene_ Scene *scene = scene_open("@p(x) 'args':{'a':" INT "}\nx\n", "a=1");
	_cleanup_buffer_ Buffer buffer = {};
	_cleanup_walk_ Walk *walk = NULL;
	Value one = { .type = VALUE_INT, .integer = 1 };
	Reader reader;

	buffer_u32(&buffer, 2);
	buffer_string(&buffer, "_ticket");
	value_encode(&one, &buffer);
	buffer_string(&buffer, "a");
	value_encode(&one, &buffer);
	reader = reader_make(buffer.data, buffer.size);
	ck_assert_int_eq(walk_start(scene->plan, &reader, 0, &walk), 0);
	ck_assert_ptr_nonnull(pool_get(walk_pool(walk), pool_find(walk_pool(walk), "_ticket")));
	ck_assert_ptr_nonnull(pool_get(walk_pool(walk), plan_key(scene->plan, "a")));
}
END_TEST

CHECK_MAIN(walk_pool, a_nested_program_works_on_the_runs_pool_and_all_its_writes_stay,
	   a_programs_outputs_are_masked_only_in_the_reply,
	   a_default_of_a_programs_argument_is_added_where_that_program_begins,
	   a_default_on_a_hook_that_stands_for_a_program_comes_before_that_programs,
	   a_default_of_a_functions_argument_is_seen_by_the_function_alone, a_default_does_not_excuse_another_type,
	   bind_holds_for_the_hook_and_all_that_it_brings, a_name_goes_through_each_bind_once_outwards,
	   a_check_names_the_key_in_the_pool, a_hooks_writes_enter_the_pool_only_when_it_ends_ok,
	   a_rectifier_sees_the_pool_as_its_step_left_it, in_doubt_a_rectifier_sees_the_pool_as_its_step_found_it,
	   what_rectifiers_wrote_lies_over_the_rewound_pool,
	   defaults_added_by_a_rectifying_program_lie_over_the_rewound_pool, after_succeeded_the_pool_is_left_as_it_is,
	   after_rectified_the_pool_is_the_one_with_which_the_run_began_under_the_rectifiers_writes,
	   after_parked_the_pool_is_the_one_that_the_call_saw_which_stopped_the_run,
	   an_int_is_accepted_where_a_float_is_asked_for_and_the_pool_keeps_the_int, nothing_else_is_converted,
	   a_missing_required_output_of_the_program_fails_the_run_after_its_last_step,
	   a_present_output_of_another_type_fails_the_run_after_its_last_step,
	   a_run_begins_with_encoded_arguments_whatever_their_names)
