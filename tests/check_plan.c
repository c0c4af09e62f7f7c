/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/plan.h"

#include "tests/said.h"

static void write_op(const PlanOp *op, Buffer *buffer)
{
	static const char *const marks[] = {
		[PLAN_ENTER] = "(", [PLAN_CALL] = "", [PLAN_LEAVE] = ")", [PLAN_STAND] = "="
	};

	buffer_format(buffer, " %s%s%s", marks[op->kind], op->program ? "@" : "",
		      op->hook ? op->hook->name : op->program->name);
	if (op->kind == PLAN_CALL || op->kind == PLAN_STAND)
		buffer_format(buffer, ":%u", op->step);
}

/* "(@p x:1 (s (@q y:2 )@q =s:3 )@p | 1: ux:1", irreversible steps with '!'. */
static char *plan_text(const Plan *plan)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	char *text;

	for (uint32_t i = 0; i < plan->n_forward; i++) {
		const PlanOp *op = &plan->ops[i];

		write_op(op, &buffer);
		if (op->step > 0) {
			ck_assert_uint_eq(plan->steps[op->step - 1].op, i);
			buffer_text(&buffer, plan->steps[op->step - 1].irreversible ? "!" : "");
		}
	}
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		const PlanStep *step = &plan->steps[i];

		buffer_text(&buffer, step->n_rectifiers > 0 ? " |" : "");
		for (uint32_t k = 0; k < step->n_rectifiers; k++) {
			write_op(&plan->ops[step->rectifiers + k], &buffer);
			ck_assert_uint_eq(plan->ops[step->rectifiers + k].step, i + 1);
		}
	}
	text = buffer_take_text(&buffer);
	memmove(text, text + 1, strlen(text));
	return text;
}

static Plan *compile(const Spec *spec, const char *program)
{
	PlanError error = { 0 };
	Plan *plan = NULL;

	ck_assert_int_eq(plan_compile(spec, spec_program(spec, program), &plan, &error), 0);
	ck_assert_ptr_null(error.trail);
	return plan;
}

static void expect_plan(const char *text, const char *wanted)
{
	_cleanup_spec_ Spec *spec = spec_read(text);
	_cleanup_plan_ Plan *plan = compile(spec, "p");
	_cleanup_free_ char *found = plan_text(plan);

	ck_assert_str_eq(found, wanted);
}

START_TEST(steps_are_numbered_in_the_plans_order_and_dependencies_come_before_their_hook)
{
	expect_plan(SPEC(PROGRAM("p", "'hooks.a', 'hooks.b'", ""),
			 WITH("a", "'hooks.c', 'hooks.d'", "") "," WITH("b", "", "") "," WITH(
				 "c", "'hooks.e'", "") "," WITH("d", "", "") "," WITH("e", "", "")),
		    "(@p e:1 c:2 d:3 a:4 b:5 )@p");
}
END_TEST

START_TEST(each_occurrence_of_a_hook_is_a_step_and_a_dependency_runs_each_time_it_is_named)
{
	expect_plan(SPEC(PROGRAM("p", "'hooks.a', 'hooks.a', 'hooks.b'", ""),
			 WITH("a", "'hooks.c'", "") "," WITH("b", "'hooks.c'", "") "," WITH("c", "", "")),
		    "(@p c:1 a:2 c:3 a:4 c:5 b:6 )@p");
}
END_TEST

START_TEST(a_hook_that_stands_for_a_program_is_a_step_after_that_programs_steps)
{
	expect_plan(SPEC(PROGRAM("p", "'hooks.s', 'hooks.b'", "") "," PROGRAM("q", "'hooks.a'", ""),
			 STANDS("s", "q", ", 'dependencies': ['hooks.c'], 'irreversible': true") "," WITH(
				 "a", "", "") "," WITH("b", "", "") "," WITH("c", "", "")),
		    "(@p c:1 (s (@q a:2 )@q =s:3! b:4 )@p");
}
END_TEST

START_TEST(a_program_that_is_named_directly_has_no_step_of_its_own)
{
	expect_plan(SPEC(PROGRAM("p", "'programs.q', 'programs.e'", "") "," PROGRAM("q", "'hooks.a'",
										    "") "," PROGRAM("e", "", ""),
			 WITH("a", "", "")),
		    "(@p (@q a:1 )@q (@e )@e )@p");
	expect_plan(PROGRAMS(PROGRAM("p", "", "")), "(@p )@p");
}
END_TEST

START_TEST(a_rectifier_comes_with_its_dependencies_and_its_program_but_without_rectifiers)
{
	expect_plan(SPEC(PROGRAM("p", "'hooks.a'", "") "," PROGRAM("q", "'hooks.c'", ""),
			 WITH("a", "", "'hooks.u', 'hooks.s'") "," WITH("u", "'hooks.d'", "'hooks.a'") "," WITH(
				 "d", "", "'hooks.a'") "," WITH("c", "",
								"'hooks.a'") "," STANDS("s", "q",
											", 'rectifiers': ['hooks.a']")),
		    "(@p a:1 )@p | d:1 u:1 (s (@q c:1 )@q =s:1");
}
END_TEST

START_TEST(hooks_may_rectify_each_other_and_themselves)
{
	expect_plan(SPEC(PROGRAM("p", "'hooks.debit', 'hooks.credit', 'hooks.self'", ""),
			 WITH("debit", "", "'hooks.credit'") "," WITH("credit", "", "'hooks.debit'") "," WITH(
				 "self", "", "'hooks.self'")),
		    "(@p debit:1 credit:2 self:3 )@p | credit:1 | debit:2 | self:3");
	/* A rectifier may even have its hook as a dependency: what is reversed is not part of the way back. */
	expect_plan(SPEC(PROGRAM("p", "'hooks.a'", ""), WITH("a", "", "'hooks.u'") "," WITH("u", "'hooks.a'", "")),
		    "(@p a:1 )@p | a:1 u:1");
}
END_TEST

START_TEST(a_program_that_runs_as_a_rectifier_is_only_its_calls)
{
	_cleanup_spec_ Spec *spec =
		spec_read(SPEC(PROGRAM("p", "'hooks.a'", "") "," PROGRAM("q", "'hooks.b', 'hooks.c'", ""),
			       WITH("a", "", "'programs.q'") "," WITH("b", "", "'hooks.a'") "," HOOK(
				       "c", ", 'outputs': {}, 'irreversible': true")));
	_cleanup_plan_ Plan *plan = compile(spec, "p");
	_cleanup_free_ char *found = plan_text(plan);

	ck_assert_str_eq(found, "(@p a:1 )@p | (@q b:1 c:1 )@q");
	ck_assert_uint_eq(plan->n_steps, 1);
	ck_assert_uint_eq(plan->n_calls, 3);
	ck_assert(!plan->steps[0].irreversible);
}
END_TEST

START_TEST(steps_of_nested_programs_keep_their_rectifiers_on_the_way_forward)
{
	expect_plan(
		SPEC(PROGRAM("p", "'hooks.s'", "") "," PROGRAM("q", "'hooks.a'", ""),
		     WITH("a", "'hooks.d'", "'hooks.u', 'hooks.v'") "," WITH("d", "", "'hooks.v'") "," WITH(
			     "u", "", "") "," WITH("v", "", "") "," STANDS("s", "q", ", 'rectifiers': ['hooks.u']")),
		"(@p (s (@q d:1 a:2 )@q =s:3 )@p | v:1 | u:2 v:2 | u:3");
}
END_TEST

/* The key of argument `arg` of the n-th operation of this hook or program. */
static const char *key_of(const Plan *plan, const char *name, size_t nth, size_t arg)
{
	for (uint32_t i = 0; i < plan->n_ops; i++) {
		const PlanOp *op = &plan->ops[i];

		if (strcmp(op->hook ? op->hook->name : op->program->name, name) != 0 || op->n_args <= arg || nth-- > 0)
			continue;
		return plan->keys[op->args[arg].key];
	}
	ck_abort_msg("no such operation: %s", name);
}

#define TAKES(name, arg, more) "'" name "': {'reference': 'wallet.f." name "', 'args': {" ARG(arg, "int") "}" more "}"
#define OPTIONAL(name) "'" name "': {'type': 'int', 'required': false}"

START_TEST(a_bind_holds_for_dependencies_rectifiers_and_the_program_a_hook_stands_for)
{
	_cleanup_spec_ Spec *spec = spec_read(SPEC(
		"'p': {'hooks': ['hooks.s'], 'args': {" ARG("outer", "int") "}, 'outputs': {}},"
									    "'q': {'hooks': ['hooks.a'], 'args': {" ARG(
										    "x", "int") "}, 'outputs': {}}",
		"'s': {'reference': 'programs.q', 'args': {" ARG(
			"x",
			"int") "}, 'dependencies': ['hooks.d'],"
			       "'rectifiers': ['hooks.u'], 'bind': {'x': 'outer'}}," TAKES("a", "y", ", 'bind': {'y': 'x'}, 'rectifiers': ['hooks.v'], 'outputs': {}") "," TAKES(
				       "d", "x",
				       ", 'outputs': {}") "," TAKES("u", "z",
								    ", 'bind': {'z': 'x'}, 'outputs': {}") "," TAKES("v",
														     "y",
														     ", 'outputs': {}")));
	_cleanup_plan_ Plan *plan = compile(spec, "p");

	ck_assert_str_eq(key_of(plan, "d", 0, 0), "outer");
	ck_assert_str_eq(key_of(plan, "s", 0, 0), "outer");
	ck_assert_str_eq(key_of(plan, "q", 0, 0), "outer");
	ck_assert_str_eq(key_of(plan, "a", 0, 0), "outer");
	ck_assert_str_eq(key_of(plan, "u", 0, 0), "outer");
	ck_assert_str_eq(key_of(plan, "v", 0, 0), "outer");
	ck_assert_uint_eq(plan->n_keys, 1);
}
END_TEST

START_TEST(a_name_goes_through_each_bind_once_from_the_inside_outwards)
{
	_cleanup_spec_ Spec *spec =
		spec_read(SPEC("'p': {'hooks': ['hooks.a', 'hooks.b'], 'args': {" ARG("x", "int") "," ARG(
				       "y", "int") "}, 'outputs': {}}",
			       "'a': {'reference': 'wallet.f.a', 'args': {" ARG("x", "int") "," ARG(
				       "y", "int") "}, 'bind': "
						   "{'x': 'y', 'y': 'x'}, 'dependencies': ['hooks.b'], 'outputs': {}},"
						   "'b': {'reference': 'wallet.f.b', 'args': {" ARG(
							   "x", "int") "}, 'bind': {'x': 'y'}, 'outputs': {}}"));
	_cleanup_plan_ Plan *plan = compile(spec, "p");

	ck_assert_str_eq(key_of(plan, "b", 0, 0), "x"); /* x → y (b) → x (a) */
	ck_assert_str_eq(key_of(plan, "a", 0, 0), "y");
	ck_assert_str_eq(key_of(plan, "a", 0, 1), "x");
	ck_assert_str_eq(key_of(plan, "b", 1, 0), "y");
	/* The same holds for names that only an untyped setter uses. */
	ck_assert_str_eq(plan_resolve(&plan->ops[1], "x"), "x");
	ck_assert_str_eq(plan_resolve(&plan->ops[1], "z"), "z");
	ck_assert_str_eq(plan_resolve(&plan->ops[3], "x"), "y");
	ck_assert_str_eq(plan_resolve(&plan->ops[0], "x"), "x");
}
END_TEST

START_TEST(a_key_is_secret_where_any_argument_or_output_under_it_is)
{
	_cleanup_spec_ Spec *spec = spec_read(SPEC(
		"'p': {'hooks': ['hooks.a'], 'args': {" ARG("pin", "int") "," ARG("sum", "int") "}, 'outputs': {}}",
		"'a': {'reference': 'wallet.f.a', 'args': {'code': {'type': 'int', 'required': true, 'secret': true}},"
		"'outputs': {}, 'bind': {'code': 'pin'}}"));
	_cleanup_plan_ Plan *plan = compile(spec, "p");

	ck_assert(plan_key_secret(plan, "pin"));
	ck_assert(!plan_key_secret(plan, "sum"));
	ck_assert(!plan_key_secret(plan, "code"));
	ck_assert_uint_eq(plan_key(plan, "sum"), 1);
	ck_assert_uint_eq(plan_key(plan, "code"), UINT32_MAX);
}
END_TEST

static void print_of(const char *text, const char *program, uint8_t ret[static 16])
{
	_cleanup_spec_ Spec *spec = spec_read(text);
	_cleanup_plan_ Plan *plan = compile(spec, program);

	ck_assert_int_eq(plan_fingerprint(plan, ret), 0);
}

#define PRINT(hooks, retry, arg)                                                        \
	SPEC("'p': {'hooks': [" hooks "], 'args': {" OPTIONAL("a") "}, 'outputs': {}}", \
	     "'x': {'reference': 'wallet.f.x', 'args': {'a': {" arg "}}, 'outputs': {}" retry "}")

START_TEST(a_fingerprint_tells_plans_apart_that_a_walk_would_walk_differently)
{
	static const char *const different[] = {
		PRINT("'hooks.x'", "", "'type': 'int', 'required': false"),
		PRINT("'hooks.x', 'hooks.x'", "", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'retry': {'attempts': 2}", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'timeout': 2", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'idempotent': true", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'irreversible': true", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'rectifiers': ['hooks.x']", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", ", 'bind': {'a': 'b'}", "'type': 'int', 'required': false"),
		PRINT("'hooks.x'", "", "'type': 'float', 'required': false"),
		PRINT("'hooks.x'", "", "'type': 'int', 'required': false, 'default': 1"),
		PRINT("'hooks.x'", "", "'type': 'int', 'required': false, 'default': 2"),
	};
	uint8_t prints[ELEMENTSOF(different)][16], again[16];

	for (size_t i = 0; i < ELEMENTSOF(different); i++) {
		print_of(different[i], "p", prints[i]);
		print_of(different[i], "p", again);
		ck_assert_mem_eq(prints[i], again, 16);
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(memcmp(prints[i], prints[k], 16) != 0, "%zu and %zu", i, k);
	}
	print_of(PRINT("'hooks.x'", ", 'description': 'new', 'x-y': 1",
		       "'type': 'int', 'required': false, 'secret': true"),
		 "p", again);
	ck_assert_mem_eq(prints[0], again, 16);
}
END_TEST

CHECK_MAIN(plan, steps_are_numbered_in_the_plans_order_and_dependencies_come_before_their_hook,
	   each_occurrence_of_a_hook_is_a_step_and_a_dependency_runs_each_time_it_is_named,
	   a_hook_that_stands_for_a_program_is_a_step_after_that_programs_steps,
	   a_program_that_is_named_directly_has_no_step_of_its_own,
	   a_rectifier_comes_with_its_dependencies_and_its_program_but_without_rectifiers,
	   hooks_may_rectify_each_other_and_themselves, a_program_that_runs_as_a_rectifier_is_only_its_calls,
	   steps_of_nested_programs_keep_their_rectifiers_on_the_way_forward,
	   a_bind_holds_for_dependencies_rectifiers_and_the_program_a_hook_stands_for,
	   a_name_goes_through_each_bind_once_from_the_inside_outwards,
	   a_key_is_secret_where_any_argument_or_output_under_it_is,
	   a_fingerprint_tells_plans_apart_that_a_walk_would_walk_differently)
