/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/said.h"

/* Drops the ':' that follows the file's name, which is empty here. */
static char *without_file(const char *said)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	for (const char *at = said; *at; at++)
		if (*at != ':' || (at > said && at[-1] != '\n'))
			buffer_u8(&buffer, (uint8_t)*at);
	return buffer_take_text(&buffer);
}

START_TEST(every_mistake_is_named_with_its_place)
{
	for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
		_cleanup_free_ char *said = spec_said(mistakes[i].spec), *lines = without_file(said);

		ck_assert_msg(strcmp(lines, mistakes[i].said) == 0, "%s: expected\n%s\ngot\n%s", mistakes[i].what,
			      mistakes[i].said, lines);
	}
}
END_TEST

static const char seed_spec[] =
	"{'version': '1.2.3', 'name': 'My orchestrator',\n"
	" 'programs': {\n"
	"  'make_deposit': {'hooks': ['hooks.note'], 'args': {}, 'outputs': {}, 'description': 'Deposits'},\n"
	"  'my_program': {\n"
	"   'hooks': ['hooks.check_balance', 'programs.make_deposit'],\n"
	"   'args': {'a': {'type': 'string', 'required': true, 'description': 'Tells the TX clearer to run'},\n"
	"            'b': {'type': 'float', 'required': true}},\n"
	"   'outputs': {'done': {'type': 'bool', 'required': false}},\n"
	"   'description': 'Will commit a transaction'}},\n"
	" 'hooks': {\n"
	"  'note': {'reference': 'my_orchestrator.util.note', 'args': {}},\n"
	"  'has_balance': {'reference': 'my_orchestrator.util.math.has_balance', 'args': {}},\n"
	"  'undo': {'reference': 'my_orchestrator.util.undo', 'args': {}},\n"
	"  'check_balance': {'reference': 'my_orchestrator.util.math.is_prime',\n"
	"   'args': {'b': {'type': 'float', 'required': true}},\n"
	"   'dependencies': ['hooks.has_balance', 'programs.make_deposit'],\n"
	"   'rectifiers': ['hooks.undo', 'programs.make_deposit'],\n"
	"   'description': \"Checks whether the user is rich\"}}}";

START_TEST(the_seeds_own_examples_work_as_written)
{
	_cleanup_spec_ Spec *named = spec_read("{'name': 'My transaction processing', 'programs': {}, 'hooks': {}}");
	_cleanup_spec_ Spec *spec = spec_read(seed_spec);
	const SpecProgram *program = spec_program(spec, "my_program");
	const SpecHook *hook = spec_hook(spec, "check_balance");

	ck_assert_str_eq(named->name, "My transaction processing");
	ck_assert_str_eq(named->module, "my_transaction_processing");
	ck_assert_ptr_null(named->version);
	ck_assert_str_eq(spec->version, "1.2.3");
	ck_assert_str_eq(spec->module, "my_orchestrator");
	ck_assert_str_eq(spec->functions[hook->function].reference, "my_orchestrator.util.math.is_prime");
	ck_assert_str_eq(spec->functions[hook->function].symbol, "util_math_is_prime");
	ck_assert_str_eq(spec->functions[hook->function].file, "util/math.c");
	ck_assert_str_eq(spec->functions[spec_hook(spec, "undo")->function].file, "util.c");
	ck_assert_str_eq(program->description, "Will commit a transaction");
	ck_assert_str_eq(program->args.items[0].description, "Tells the TX clearer to run");
	ck_assert_uint_eq(program->hooks.n, 2);
	ck_assert_ptr_eq(program->hooks.items[0].hook, hook);
	ck_assert_ptr_null(program->hooks.items[0].program);
	ck_assert_ptr_eq(program->hooks.items[1].program, spec_program(spec, "make_deposit"));
	ck_assert_ptr_eq(hook->dependencies.items[1].program, spec_program(spec, "make_deposit"));
	ck_assert_ptr_eq(hook->rectifiers.items[0].hook, spec_hook(spec, "undo"));
	ck_assert_ptr_null(spec_program(spec, "check_balance"));
	ck_assert_ptr_null(spec_hook(spec, "my_program"));
}
END_TEST

START_TEST(every_optional_key_is_read)
{
	_cleanup_spec_ Spec *spec = spec_read(
		"{'name': 'w', 'programs': {'p': {'hooks': ['hooks.s'], 'args': {'from': {'type': 'string', "
		"'required': true, 'secret': true}}, 'outputs': {}, 'timeout': 1.5, 'allow': {'users': ['u', 'v', 0, '017'], "
		"'groups': ['g']}, 'durability': 'process', 'probe': 'cat state'}, 'q': {'hooks': ['hooks.h'], "
		"'args': {}, 'outputs': {}}},"
		"'hooks': {'h': {'reference': 'w.f.h', 'args': {'account': {'type': 'string', 'required': false, "
		"'default': 'main'}, 'rate': {'type': 'float', 'required': true, 'default': 2}}, 'outputs': {'o': "
		"{'type': 'int', 'required': false}}, 'bind': {'account': 'from'}, 'timeout': 30, 'retry': "
		"{'attempts': 3, 'backoff': 0.25, 'max_backoff': 4}, 'idempotent': true, 'irreversible': true},"
		"'s': {'reference': 'programs.q', 'args': {}, 'timeout': 2}}}");
	const SpecProgram *p = spec_program(spec, "p"), *q = spec_program(spec, "q");
	const SpecHook *h = spec_hook(spec, "h"), *s = spec_hook(spec, "s");

	ck_assert(p->args.items[0].secret);
	ck_assert(p->args.items[0].required && !p->args.items[0].has_default);
	ck_assert_uint_eq(p->timeout_usec, 1500000);
	ck_assert(p->allow.declared && p->allow.n_users == 4 && p->allow.n_groups == 1);
	ck_assert_str_eq(p->allow.users[1], "v");
	ck_assert_str_eq(p->allow.users[2], "0");
	ck_assert_str_eq(p->allow.users[3], "017");
	ck_assert_str_eq(p->allow.groups[0], "g");
	ck_assert(p->durability_declared && p->durability == SPEC_DURABILITY_PROCESS);
	ck_assert_str_eq(p->probe, "cat state");
	ck_assert(!q->allow.declared && !q->durability_declared && q->durability == SPEC_DURABILITY_DISK);
	ck_assert_uint_eq(q->timeout_usec, 0);
	ck_assert_str_eq(h->args.items[0].fallback.string.data, "main");
	ck_assert_int_eq(h->args.items[1].fallback.type, VALUE_FLOAT);
	ck_assert(h->args.items[1].fallback.real == 2.0 && h->args.items[1].required && h->args.items[1].has_default);
	ck_assert(h->n_binds == 1 && strcmp(h->binds[0].name, "account") == 0 && strcmp(h->binds[0].key, "from") == 0);
	ck_assert_uint_eq(h->timeout_usec, 30000000);
	ck_assert(h->retry.declared && h->retry.attempts == 3 && h->idempotent && h->irreversible);
	ck_assert_uint_eq(h->retry.backoff_usec, 250000);
	ck_assert_uint_eq(h->retry.max_backoff_usec, 4000000);
	ck_assert_ptr_eq(s->program, q);
	ck_assert(!s->retry.declared && s->retry.attempts == 1 && !s->idempotent && !s->irreversible);
	ck_assert_uint_eq(spec->n_functions, 1);
}
END_TEST

START_TEST(a_retry_has_defaults_for_its_backoff)
{
	_cleanup_spec_ Spec *spec = spec_read(HOOKS(
		HOOK("a", ", 'retry': {'attempts': 2}") "," HOOK("b", ", 'retry': {'attempts': 2, 'backoff': 60}")));

	ck_assert_uint_eq(spec->hooks[0].retry.backoff_usec, 100000);
	ck_assert_uint_eq(spec->hooks[0].retry.max_backoff_usec, 5000000);
	ck_assert_uint_eq(spec->hooks[1].retry.max_backoff_usec, 60000000);
}
END_TEST

START_TEST(outputs_that_are_missing_are_not_the_same_as_none)
{
	_cleanup_spec_ Spec *spec = spec_read(HOOKS(HOOK("a", "") "," HOOK("b", ", 'outputs': {}")));

	ck_assert(!spec_hook(spec, "a")->outputs.declared);
	ck_assert(spec_hook(spec, "b")->outputs.declared);
}
END_TEST

START_TEST(everything_is_in_the_order_of_the_file)
{
	_cleanup_spec_ Spec *spec =
		spec_read(SPEC(PROGRAM("z", "", "") "," PROGRAM("a", "", "") "," PROGRAM("m", "", ""),
			  HOOK("q", ", 'outputs': {" ARG("y", "int") "," ARG("b", "int") "}") "," HOOK("c", "")));

	ck_assert_str_eq(spec->programs[0].name, "z");
	ck_assert_str_eq(spec->programs[1].name, "a");
	ck_assert_str_eq(spec->programs[2].name, "m");
	ck_assert_str_eq(spec->hooks[0].name, "q");
	ck_assert_str_eq(spec->hooks[0].outputs.items[0].name, "y");
	ck_assert_str_eq(spec->functions[1].symbol, "f_c");
}
END_TEST

START_TEST(x_keys_are_passed_over_wherever_a_key_of_ours_could_stand)
{
	expect_fine("{'x-a': 1, 'name': 'w', 'programs': {'x-ray': {'x-b': [], 'hooks': [], 'args': {'a': {'x-c': "
		    "null, 'type': 'int', 'required': true}}, 'outputs': {}, 'allow': {'x-d': 1}}}, 'hooks': {'h': "
		    "{'reference': 'w.f.h', 'args': {}, 'retry': {'attempts': 1, 'x-e': {}}, 'x-': 0}}}");
	/* A name is not a key of ours. */
	expect_said(IN_ARG("{'type': 'int', 'required': true}, 'x-b': 1"),
		    "/hooks/h/args/x-b: expected a C identifier");
}
END_TEST

START_TEST(hooks_share_a_function_if_their_arguments_and_outputs_agree)
{
	_cleanup_spec_ Spec *spec = spec_read(HOOKS("'h': {'reference': 'wallet.f.h', 'args': {" ARG(
		"a", "int") "}},"
			    "'i': {'reference': 'wallet.f.h', 'args': {" ARG(
				    "a", "int") "}, 'bind': {'a': 'b'}},"
						"'j': {'reference': 'wallet.f.j', 'args': {}}"));

	ck_assert_uint_eq(spec->n_functions, 2);
	ck_assert_uint_eq(spec->hooks[1].function, 0);
	ck_assert_uint_eq(spec->hooks[2].function, 1);
	ck_assert_ptr_eq(spec->functions[0].hook, &spec->hooks[0]);
	expect_said(HOOKS("'h': {'reference': 'wallet.f.h', 'args': {" ARG("a", "int") ", " ARG(
			    "b", "int") "}},"
					"'i': {'reference': 'wallet.f.h', 'args': {" ARG("b", "int") ", " ARG(
						"a", "int") "}}"),
		    "/hooks/i/args: expected 'a' as number 1, as in hooks.h, which has the same function; got 'b'");
}
END_TEST

START_TEST(issues_are_in_the_order_of_the_file_and_those_beyond_the_cap_are_counted)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	Spec *spec = NULL;

	buffer_text(&buffer, "{\"hooks\": {");
	for (unsigned i = 0; i < 1200; i++)
		buffer_format(&buffer, "%s\n\"h%u\": %u", i > 0 ? "," : "", i, i);
	buffer_text(&buffer, "},\n\"name\": 7, \"programs\": {}}");
	ck_assert_int_eq(spec_load((char *)buffer.data, buffer.size, &spec, &issues), -EBADMSG);
	ck_assert_ptr_null(spec);
	ck_assert_uint_eq(issues.n, SPEC_ISSUES_MAX);
	ck_assert_uint_eq(issues.n_errors, SPEC_ISSUES_MAX);
	ck_assert_uint_eq(issues.dropped, 201);
	for (size_t i = 0; i + 1 < issues.n; i++)
		ck_assert_uint_eq(issues.items[i].line, i + 2);
	ck_assert_uint_eq(issues.items[issues.n - 1].line, 1202);
	ck_assert_str_eq(issues.items[issues.n - 1].path, "/name");
}
END_TEST

START_TEST(a_spec_that_is_too_large_is_refused_unread)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	Spec *spec = NULL;

	ck_assert_int_eq(spec_load("{}", (size_t)SPEC_SIZE_MAX + 1, &spec, &issues), -EBADMSG);
	ck_assert_str_eq(issues.items[0].message, "expected at most 16777216 bytes; got 16777217");
}
END_TEST

CHECK_MAIN(spec, every_mistake_is_named_with_its_place, the_seeds_own_examples_work_as_written,
	   every_optional_key_is_read, a_retry_has_defaults_for_its_backoff,
	   outputs_that_are_missing_are_not_the_same_as_none, everything_is_in_the_order_of_the_file,
	   x_keys_are_passed_over_wherever_a_key_of_ours_could_stand,
	   hooks_share_a_function_if_their_arguments_and_outputs_agree,
	   issues_are_in_the_order_of_the_file_and_those_beyond_the_cap_are_counted,
	   a_spec_that_is_too_large_is_refused_unread)
