/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans that cannot be: cycles, and what is over a cap. */
#include "spec/plan.h"

#include "tests/said.h"

static void expect_error(const char *text, int wanted, const char *trail)
{
	_cleanup_free_ char *quoted = double_quotes(text);
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	Spec *spec = NULL;

	ck_assert_int_eq(spec_load(quoted, strlen(quoted), &spec, &issues), -EBADMSG);
	ck_assert_msg(strstr(issues.items[0].message, trail) != NULL, "%s", issues.items[0].message);
	ck_assert_int_eq(wanted == -ELOOP, strstr(issues.items[0].message, "cycle") != NULL);
}

START_TEST(cycles_are_sought_through_hooks_dependencies_and_references)
{
	expect_error(SPEC(PROGRAM("a", "'hooks.b'", ""), STANDS("b", "a", "")), -ELOOP,
		     "programs.a → hooks.b → programs.a");
	expect_error(PROGRAMS(PROGRAM("a", "'programs.b'", "") "," PROGRAM("b", "'programs.a'", "")), -ELOOP,
		     "programs.a → programs.b → programs.a");
	expect_error(HOOKS(WITH("x", "'hooks.y'", "") "," WITH("y", "'hooks.z'", "") "," WITH("z", "'hooks.x'", "")),
		     -ELOOP, "hooks.x → hooks.y → hooks.z → hooks.x");
	expect_error(SPEC(PROGRAM("p", "'hooks.x'", ""), WITH("x", "'hooks.y'", "") "," WITH("y", "'programs.p'", "")),
		     -ELOOP, "programs.p → hooks.x → hooks.y → programs.p");
}
END_TEST

/* Loaded specs have no cycle, so this one is bent into one. */
START_TEST(a_plan_of_a_cycle_is_not_compiled)
{
	_cleanup_spec_ Spec *spec = spec_read(SPEC(PROGRAM("p", "'hooks.x'", "") "," PROGRAM("q", "", ""),
						   WITH("x", "'hooks.y'", "") "," WITH("y", "'programs.q'", "")));
	PlanError error = { 0 };
	Plan *plan = NULL;

	spec->hooks[1].dependencies.items[0].program = &spec->programs[0];
	ck_assert_int_eq(plan_compile(spec, &spec->programs[0], &plan, &error), -ELOOP);
	ck_assert_ptr_null(plan);
	ck_assert(error.cycle);
	ck_assert_str_eq(error.trail, "programs.p → hooks.x → hooks.y → programs.p");
	plan_error_done(&error);
}
END_TEST

/* A program with `n` calls of hook a, each with `rectifiers` calls on the way back. */
static char *many_calls(unsigned n, unsigned rectifiers)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "{'name': 'wallet', 'programs': {'p': {'args': {}, 'outputs': {}, 'hooks': [");
	for (unsigned i = 0; i < n; i++)
		buffer_format(&buffer, "%s'hooks.a'", i > 0 ? "," : "");
	buffer_text(&buffer, "]}}, 'hooks': {'a': {'reference': 'wallet.f.a', 'args': {}, 'rectifiers': [");
	for (unsigned i = 0; i < rectifiers; i++)
		buffer_format(&buffer, "%s'hooks.a'", i > 0 ? "," : "");
	buffer_text(&buffer, "]}}}");
	return buffer_take_text(&buffer);
}

START_TEST(a_plan_has_at_most_4096_calls_rectifiers_included)
{
	static const struct {
		unsigned n, rectifiers;
		bool fits;
	} cases[] = { { 4096, 0, true }, { 2048, 1, true }, { 1024, 3, true }, { 2049, 1, false }, { 1025, 3, false } };

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_free_ char *text = many_calls(cases[i].n, cases[i].rectifiers);

		if (cases[i].fits)
			expect_fine(text);
		else
			expect_error(text, -E2BIG, "got more at programs.p → hooks.a → hooks.a");
	}
}
END_TEST

/* Programs of which each names the one before it twice. */
static char *doubling(unsigned n, const char *innermost)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "{'name': 'wallet', 'programs': {");
	for (unsigned i = n; i > 0; i--)
		buffer_format(&buffer, "'p%u': {'args': {}, 'outputs': {}, 'hooks': ['programs.p%u', 'programs.p%u']},",
			      i, i - 1, i - 1);
	buffer_format(&buffer, "'p0': {'args': {}, 'outputs': {}, 'hooks': [%s]}},", innermost);
	buffer_text(&buffer, "'hooks': {'a': {'reference': 'wallet.f.a', 'args': {}}}}");
	return buffer_take_text(&buffer);
}

START_TEST(a_plan_that_grows_exponentially_is_given_up_early)
{
	_cleanup_free_ char *calls = doubling(60, "'hooks.a'"), *nothing = doubling(60, "");

	expect_error(calls, -E2BIG, "got more at programs.p60 → programs.p59");
	expect_error(nothing, -E2BIG, "got more at programs.p60 → programs.p59");
}
END_TEST

/* A chain of dependencies, `depth` hooks deep. */
static char *chain(unsigned depth)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "{'name': 'wallet', 'programs': {'p': {'args': {}, 'outputs': {}, 'hooks': ['hooks.h1']}},"
			     "'hooks': {");
	for (unsigned i = 1; i < depth; i++)
		buffer_format(&buffer, "'h%u': {'reference': 'wallet.f.a', 'args': {}, 'dependencies': ['hooks.h%u']},",
			      i, i + 1);
	buffer_format(&buffer, "'h%u': {'reference': 'wallet.f.a', 'args': {}}}}", depth);
	return buffer_take_text(&buffer);
}

START_TEST(hooks_lie_within_each_other_to_a_depth_that_has_a_cap)
{
	_cleanup_free_ char *deepest = chain(PLAN_DEPTH_MAX - 1), *deeper = chain(PLAN_DEPTH_MAX),
			    *abyss = chain(16000);

	expect_fine(deepest);
	expect_error(deeper, -E2BIG, "hooks.h255 → hooks.h256");
	expect_error(abyss, -E2BIG, "hooks.h255 → hooks.h256");
}
END_TEST

START_TEST(a_plan_has_at_most_32768_keys)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *text = NULL;

	buffer_text(&buffer, "{'name': 'wallet', 'programs': {'p': {'args': {}, 'outputs': {}, 'hooks': [");
	for (unsigned i = 0; i < 129; i++)
		buffer_format(&buffer, "%s'hooks.h%u'", i > 0 ? "," : "", i);
	buffer_text(&buffer, "]}}, 'hooks': {");
	for (unsigned i = 0; i < 129; i++) {
		buffer_format(&buffer, "%s'h%u': {'reference': 'wallet.f.h%u', 'args': {", i > 0 ? "," : "", i, i);
		for (unsigned k = 0; k < SPEC_ARGS_MAX; k++)
			buffer_format(&buffer, "%s'a%u_%u': {'type': 'int', 'required': false}", k > 0 ? "," : "", i,
				      k);
		buffer_text(&buffer, "}}");
	}
	buffer_text(&buffer, "}}");
	text = buffer_take_text(&buffer);
	expect_error(text, -E2BIG,
		     "32768 keys and 256 levels in the plan of a program; got more at programs.p → hooks.h128");
}
END_TEST

START_TEST(two_hundred_programs_and_a_thousand_hooks_are_no_effort)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_spec_ Spec *spec = NULL;

	buffer_text(&buffer, "{'name': 'wallet', 'programs': {");
	for (unsigned i = 0; i < 200; i++) {
		buffer_format(&buffer,
			      "%s'p%u': {'args': {'a': {'type': 'int', 'required': true}}, 'outputs': {}, 'hooks': [",
			      i > 0 ? "," : "", i);
		for (unsigned k = 0; k < 15; k++)
			buffer_format(&buffer, "%s'hooks.h%u'", k > 0 ? "," : "", (i * 5 + k) % 1000);
		buffer_text(&buffer, "]}");
	}
	buffer_text(&buffer, "}, 'hooks': {");
	for (unsigned i = 0; i < 1000; i++)
		buffer_format(
			&buffer,
			"%s'h%u': {'reference': 'wallet.f%u.g%u', 'args': {'a': {'type': 'int', 'required': true}}, "
			"'outputs': {'o%u': {'type': 'int', 'required': true}}, 'rectifiers': ['hooks.h%u']}",
			i > 0 ? "," : "", i, i / 10, i, i % 7, (i + 1) % 1000);
	buffer_text(&buffer, "}}");
	text = buffer_take_text(&buffer);
	spec = spec_read(text);
	ck_assert_uint_eq(spec->n_programs, 200);
	ck_assert_uint_eq(spec->n_functions, 1000);
	for (size_t i = 0; i < spec->n_programs; i++) {
		_cleanup_plan_ Plan *plan = NULL;
		PlanError error = { 0 };

		ck_assert_int_eq(plan_compile(spec, &spec->programs[i], &plan, &error), 0);
		ck_assert_uint_eq(plan->n_calls, 30);
	}
}
END_TEST

CHECK_MAIN(plan_caps, cycles_are_sought_through_hooks_dependencies_and_references, a_plan_of_a_cycle_is_not_compiled,
	   a_plan_has_at_most_4096_calls_rectifiers_included, a_plan_that_grows_exponentially_is_given_up_early,
	   hooks_lie_within_each_other_to_a_depth_that_has_a_cap,
	   two_hundred_programs_and_a_thousand_hooks_are_no_effort, a_plan_has_at_most_32768_keys)
