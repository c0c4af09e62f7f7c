/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/flow.h"

#include "tests/said.h"

#define OPTIONAL(name, type) "'" name "': {'type': '" type "', 'required': false}"
#define DEFAULT(name, value) "'" name "': {'type': 'int', 'required': false, 'default': " value "}"
#define P(name, hooks, args, outputs) "'" name "': {'hooks': [" hooks "], 'args': {" args "}, 'outputs': {" outputs "}}"
#define H(name, args, outputs, more) \
	"'" name "': {'reference': 'wallet.f." name "', 'args': {" args "}, 'outputs': {" outputs "}" more "}"
#define S(name, program, args, more) "'" name "': {'reference': 'programs." program "', 'args': {" args "}" more "}"
#define ANYTHING(name) HOOK(name, "")

static void expect_all(const char *spec, const char *wanted)
{
	_cleanup_free_ char *said = spec_said(spec);

	ck_assert_msg(strcmp(said, wanted) == 0, "%s\nwas said of\n%s\nand not\n%s", said, spec, wanted);
}

START_TEST(an_argument_that_no_run_can_provide_is_an_error)
{
	expect_all(
		SPEC(P("p", "'hooks.h'", "", ""), H("h", ARG("a", "int"), "", "")),
		":3:58: /hooks/h/args/a: expected something that provides 'a' before step 1, hooks.h, of programs.p; "
		"got nothing");
	/* What comes later does not help. */
	expect_said(SPEC(P("p", "'hooks.h', 'hooks.i'", "", ""),
			 H("h", ARG("a", "int"), "", "") "," H("i", "", ARG("a", "int"), "")),
		    "/hooks/h/args/a: expected something that provides 'a' before step 1");
}
END_TEST

START_TEST(an_argument_that_only_some_runs_provide_is_a_warning)
{
	expect_all(SPEC(P("p", "'hooks.h'", OPTIONAL("a", "int"), ""), H("h", ARG("a", "int"), "", "")),
		   ":3:58: warning: /hooks/h/args/a: expected something that provides 'a' in every run, before step 1, "
		   "hooks.h, of programs.p; got it only in some");
	expect_said(SPEC(P("p", "'hooks.w', 'hooks.h'", "", ""),
			 H("w", "", OPTIONAL("a", "int"), "") "," H("h", ARG("a", "int"), "", "")),
		    "warning: /hooks/h/args/a: ");
}
END_TEST

START_TEST(what_is_required_of_the_request_or_has_a_default_there_is_in_every_run)
{
	expect_fine(SPEC(P("p", "'hooks.h'", ARG("a", "int"), ""), H("h", ARG("a", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.h'", DEFAULT("a", "1"), ""), H("h", ARG("a", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.w', 'hooks.h'", "", ""),
			 H("w", "", ARG("a", "int"), "") "," H("h", ARG("a", "int"), "", "")));
	expect_fine(
		SPEC(P("p", "'hooks.h'", "", ""),
		     H("h", ARG("a", "int"), "", ", 'dependencies': ['hooks.w']") "," H("w", "", ARG("a", "int"), "")));
}
END_TEST

START_TEST(an_optional_argument_is_never_complained_of)
{
	expect_fine(SPEC(P("p", "'hooks.h'", OPTIONAL("b", "int"), ""),
			 H("h", OPTIONAL("a", "int") "," OPTIONAL("b", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.h'", "", ""),
			 H("h", "'a': {'type': 'int', 'required': true, 'default': 1}", "", "")));
}
END_TEST

START_TEST(after_a_hook_that_declares_no_outputs_nothing_is_judged)
{
	expect_fine(SPEC(P("p", "'hooks.any', 'hooks.h'", OPTIONAL("b", "int"), ARG("c", "int")),
			 ANYTHING("any") "," H("h", ARG("a", "string") "," ARG("b", "float"), "", "")));
	expect_said(SPEC(P("p", "'hooks.h', 'hooks.any'", "", ""), ANYTHING("any") "," H("h", ARG("a", "int"), "", "")),
		    "/hooks/h/args/a: expected something that provides 'a' before step 1");
}
END_TEST

START_TEST(a_check_that_passed_counts_for_what_follows)
{
	expect_all(SPEC(P("p", "'hooks.h', 'hooks.i'", OPTIONAL("a", "int"), ARG("a", "int")),
			H("h", ARG("a", "int"), "", "") "," H("i", ARG("a", "int"), "", "")),
		   ":3:58: warning: /hooks/h/args/a: expected something that provides 'a' in every run, before step 1, "
		   "hooks.h, of programs.p; got it only in some");
}
END_TEST

START_TEST(a_default_of_a_functions_argument_is_not_in_the_pool)
{
	expect_said(SPEC(P("p", "'hooks.h', 'hooks.i'", "", ""),
			 H("h", DEFAULT("a", "1"), "", "") "," H("i", ARG("a", "int"), "", "")),
		    "/hooks/i/args/a: expected something that provides 'a'");
}
END_TEST

START_TEST(defaults_of_programs_and_of_hooks_that_stand_for_them_are_in_the_pool)
{
	expect_fine(SPEC(P("p", "'programs.q', 'hooks.h'", "", "") "," P("q", "", DEFAULT("a", "1"), ""),
			 H("h", ARG("a", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.s', 'hooks.h'", "", "") "," P("q", "", "", ""),
			 S("s", "q", DEFAULT("a", "1"), "") "," H("h", ARG("a", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.s'", "", "") "," P("q", "", ARG("a", "int"), ""),
			 S("s", "q", DEFAULT("a", "1"), "")));
}
END_TEST

START_TEST(arguments_of_nested_programs_are_judged_where_they_begin)
{
	expect_all(
		SPEC(P("p", "'programs.q'", "", "") ",\n" P("q", "", ARG("a", "int"), ""), ""),
		":3:34: /programs/q/args/a: expected something that provides 'a' before programs.q, in programs.p; got "
		"nothing");
	expect_said(SPEC(P("p", "'hooks.s'", "", "") "," P("q", "", "", ""), S("s", "q", ARG("a", "int"), "")),
		    "/hooks/s/args/a: expected something that provides 'a' before hooks.s, in programs.p; got nothing");
}
END_TEST

START_TEST(a_required_output_that_no_run_can_provide_is_an_error)
{
	expect_said(
		PROGRAMS(P("p", "", "", ARG("o", "int"))),
		"/programs/p/outputs/o: expected something that provides 'o' at the end of programs.p; got nothing");
	expect_said(
		SPEC(P("p", "'hooks.s'", "", "") "," P("q", "", "", ""),
		     S("s", "q", "", ", 'outputs': {" ARG("o", "int") "}")),
		"/hooks/s/outputs/o: expected something that provides 'o' at the end of step 1, hooks.s, of programs.p");
	expect_said(SPEC(P("p", "'hooks.h'", "", ARG("o", "int")), H("h", "", OPTIONAL("o", "int"), "")),
		    "warning: /programs/p/outputs/o: expected something that provides 'o' in every run");
	expect_fine(PROGRAMS(P("p", "", "", OPTIONAL("o", "int"))));
	expect_fine(SPEC(P("p", "'hooks.h'", "", ARG("o", "int")), H("h", "", ARG("o", "int"), "")));
}
END_TEST

START_TEST(binds_are_followed)
{
	expect_fine(SPEC(P("p", "'hooks.h'", ARG("from", "int"), ""),
			 H("h", ARG("a", "int"), "", ", 'bind': {'a': 'from'}")));
	expect_said(
		SPEC(P("p", "'hooks.h'", ARG("form", "int"), ""),
		     H("h", ARG("a", "int"), "", ", 'bind': {'a': 'from'}")),
		"/hooks/h/args/a: expected something that provides 'from' (its 'a') before step 1, hooks.h, of programs.p; "
		"got nothing (did you mean 'form'?)");
}
END_TEST

START_TEST(a_type_that_never_fits_is_an_error_and_one_that_does_not_always_a_warning)
{
	expect_said(SPEC(P("p", "'hooks.h'", ARG("a", "string"), ""), H("h", ARG("a", "int"), "", "")),
		    "args/a: expected type int of 'a' before step 1, hooks.h, of programs.p; got string in every run");
	expect_said(SPEC(P("p", "'hooks.h'", ARG("a", "string"), ""), H("h", OPTIONAL("a", "int"), "", "")),
		    "args/a: expected type int of 'a'");
	expect_said(
		SPEC(P("p", "'hooks.h'", ARG("a", "float"), ""), H("h", ARG("a", "int"), "", "")),
		"warning: /hooks/h/args/a: expected type int of 'a' before step 1, hooks.h, of programs.p; got int, float");
	expect_fine(SPEC(P("p", "'hooks.h'", ARG("a", "int"), ""), H("h", ARG("a", "float"), "", "")));
	/* A hook may overwrite it with another type. */
	expect_fine(SPEC(P("p", "'hooks.w', 'hooks.h'", ARG("a", "string"), ""),
			 H("w", "", ARG("a", "int"), "") "," H("h", ARG("a", "int"), "", "")));
	expect_said(
		SPEC(P("p", "'hooks.w', 'hooks.h'", ARG("a", "string"), ""),
		     H("w", "", OPTIONAL("a", "int"), "") "," H("h", ARG("a", "int"), "", "")),
		"warning: /hooks/h/args/a: expected type int of 'a' before step 2, hooks.h, of programs.p; got string, int");
}
END_TEST

START_TEST(metadata_comes_with_some_requests_only)
{
	expect_said(SPEC(P("p", "'hooks.h'", "", ""), H("h", ARG("_ticket", "string"), "", "")),
		    "warning: /hooks/h/args/_ticket: ");
	expect_said(SPEC(P("p", "'hooks.any', 'hooks.h'", "", ""),
			 ANYTHING("any") "," H("h", ARG("_ticket", "string"), "", "")),
		    "warning: /hooks/h/args/_ticket: ");
	expect_fine(SPEC(P("p", "'hooks.h'", "", ""), H("h", OPTIONAL("_ticket", "string"), "", "")));
}
END_TEST

#define UNDONE(outputs) H("h", "", outputs, ", 'rectifiers': ['hooks.u']")

START_TEST(a_rectifier_does_not_require_what_only_its_own_step_writes)
{
	expect_said(
		SPEC(P("p", "'hooks.h'", "", ""), UNDONE(ARG("o", "int")) ",\n" H("u", ARG("o", "int"), "", "")),
		":4:48: /hooks/u/args/o: expected 'o' to be there before hooks.h, whose rectifier requires it also when that "
		"step is in doubt; got it only from hooks.h itself (take it as optional, or from ryuso_noted() or "
		"ryuso_token())");
	/* Whether it declares that it does or not. */
	expect_said(SPEC(P("p", "'hooks.h'", "", ""),
			 HOOK("h", ", 'rectifiers': ['hooks.u']") "," H("u", ARG("o", "int"), "", "")),
		    "/hooks/u/args/o: expected 'o' to be there before hooks.h");
	/* In doubt it has another type. */
	expect_said(SPEC(P("p", "'hooks.h'", ARG("o", "string"), ""),
			 UNDONE(ARG("o", "int")) "," H("u", ARG("o", "int"), "", "")),
		    "/hooks/u/args/o: expected 'o' to be there before hooks.h");
	/* Through a program that rectifies. */
	expect_said(SPEC(P("p", "'hooks.h'", "", "") "," P("q", "", ARG("o", "int"), ""),
			 H("h", "", ARG("o", "int"), ", 'rectifiers': ['programs.q']")),
		    "/programs/q/args/o: expected 'o' to be there before hooks.h");
	expect_fine(
		SPEC(P("p", "'hooks.h'", "", ""), UNDONE(ARG("o", "int")) "," H("u", OPTIONAL("o", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.h'", ARG("o", "int"), ""),
			 UNDONE(ARG("o", "int")) "," H("u", ARG("o", "int"), "", "")));
}
END_TEST

START_TEST(a_hook_that_stands_for_a_program_is_never_in_doubt)
{
	expect_fine(SPEC(P("p", "'hooks.s'", "", "") "," P("q", "'hooks.h'", "", ""),
			 H("h", "", ARG("o", "int"), ", 'rectifiers': ['hooks.v']") "," H("v", "", "", "") "," S(
				 "s", "q", "", ", 'rectifiers': ['hooks.u']") "," H("u", ARG("o", "int"), "", "")));
}
END_TEST

START_TEST(a_rectifier_has_what_its_step_found_and_what_rectifiers_before_it_wrote)
{
	expect_fine(SPEC(P("p", "'hooks.g', 'hooks.h'", ARG("a", "int"), ""),
			 H("g", "", ARG("b", "int"), "") "," UNDONE("") "," H("u", ARG("a", "int") "," ARG("b", "int"),
									      "", "")));
	expect_fine(SPEC(P("p", "'hooks.h'", "", ""),
			 H("h", "", "", ", 'rectifiers': ['hooks.w', 'hooks.u']") "," H(
				 "w", "", ARG("o", "int"), "") "," H("u", ARG("o", "int"), "", "")));
	expect_fine(SPEC(P("p", "'hooks.h'", "", ""),
			 UNDONE("") "," H("w", "", ARG("o", "int"), "") "," H("u", ARG("o", "int"), "",
									      ", 'dependencies': ['hooks.w']")));
	/* Its own step's argument was checked before the step began. */
	expect_said(
		SPEC(P("p", "'hooks.h'", OPTIONAL("a", "int"), ""),
		     H("h", ARG("a", "int"), "", ", 'rectifiers': ['hooks.u']") "," H("u", ARG("a", "int"), "", "")),
		":3:58: warning: /hooks/h/args/a: ");
}
END_TEST

START_TEST(a_rectifier_is_judged_by_the_pool_its_step_left_and_not_by_what_came_after)
{
	expect_said(
		SPEC(P("p", "'hooks.h', 'hooks.w'", "", ""),
		     UNDONE("") "," H("w", "", ARG("o", "int"), "") "," H("u", ARG("o", "int"), "", "")),
		"/hooks/u/args/o: expected something that provides 'o' before hooks.u, as a rectifier of step 1, hooks.h, of "
		"programs.p; got nothing");
	/* What the rectifier of a later step writes is there in some runs. */
	expect_said(
		SPEC(P("p", "'hooks.h', 'hooks.i'", "", ""),
		     UNDONE("") "," H("i", "", "", ", 'rectifiers': ['hooks.w']") "," H(
			     "w", "", ARG("o", "int"), "") "," H("u", ARG("o", "int"), "", "")),
		"warning: /hooks/u/args/o: expected something that provides 'o' in every run, before hooks.u, as a rectifier "
		"of step 1, hooks.h, of programs.p; got it only in some");
	expect_said(SPEC(P("p", "'hooks.h', 'hooks.i'", "", ""),
			 UNDONE("") "," H("i", "", "", ", 'rectifiers': ['hooks.any']") "," ANYTHING("any") "," H(
				 "u", ARG("o", "int"), "", "")),
		    "warning: /hooks/u/args/o: expected something that provides 'o' in every run");
	/* That of an earlier step runs later. */
	expect_said(
		SPEC(P("p", "'hooks.i', 'hooks.h'", "", ""),
		     UNDONE("") "," H("i", "", "", ", 'rectifiers': ['hooks.w']") "," H(
			     "w", "", ARG("o", "int"), "") "," H("u", ARG("o", "int"), "", "")),
		"/hooks/u/args/o: expected something that provides 'o' before hooks.u, as a rectifier of step 2, hooks.h");
}
END_TEST

START_TEST(what_only_some_runs_have_when_a_step_is_in_doubt_is_a_warning)
{
	expect_said(
		SPEC(P("p", "'hooks.h'", OPTIONAL("o", "int"), ""),
		     UNDONE(ARG("o", "int")) "," H("u", ARG("o", "int"), "", "")),
		"warning: /hooks/u/args/o: expected something that provides 'o' in every run, before hooks.u, as a rectifier "
		"of step 1, hooks.h, of programs.p, also where that step is in doubt; got it only in some");
}
END_TEST

START_TEST(programs_with_faulty_parts_are_not_judged_and_others_are)
{
	expect_all(
		SPEC(P("p", "'hooks.h'", "", "") "," P("q", "'hooks.i'", "", ""),
		     H("h", ARG("a", "int"), "", ", 'timeout': 0") ",\n" H("i", ARG("a", "int"), "", "")),
		":3:120: /hooks/h/timeout: expected seconds, more than 0 and at most 31622400; got 0\n"
		":4:48: /hooks/i/args/a: expected something that provides 'a' before step 1, hooks.i, of programs.q; got "
		"nothing");
}
END_TEST

CHECK_MAIN(flow, an_argument_that_no_run_can_provide_is_an_error, an_argument_that_only_some_runs_provide_is_a_warning,
	   what_is_required_of_the_request_or_has_a_default_there_is_in_every_run,
	   an_optional_argument_is_never_complained_of, after_a_hook_that_declares_no_outputs_nothing_is_judged,
	   a_check_that_passed_counts_for_what_follows, a_default_of_a_functions_argument_is_not_in_the_pool,
	   defaults_of_programs_and_of_hooks_that_stand_for_them_are_in_the_pool,
	   arguments_of_nested_programs_are_judged_where_they_begin,
	   a_required_output_that_no_run_can_provide_is_an_error, binds_are_followed,
	   a_type_that_never_fits_is_an_error_and_one_that_does_not_always_a_warning,
	   metadata_comes_with_some_requests_only, a_rectifier_does_not_require_what_only_its_own_step_writes,
	   a_hook_that_stands_for_a_program_is_never_in_doubt,
	   a_rectifier_has_what_its_step_found_and_what_rectifiers_before_it_wrote,
	   a_rectifier_is_judged_by_the_pool_its_step_left_and_not_by_what_came_after,
	   what_only_some_runs_have_when_a_step_is_in_doubt_is_a_warning,
	   programs_with_faulty_parts_are_not_judged_and_others_are)
