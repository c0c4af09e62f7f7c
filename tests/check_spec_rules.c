/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/said.h"

#include <stdio.h>

START_TEST(irreversible_and_rectifiers_exclude_each_other)
{
	expect_said(HOOKS(HOOK("h", ", 'irreversible': true, 'rectifiers': ['hooks.h']")), "/hooks/h/irreversible: ");
	expect_fine(HOOKS(HOOK("h", ", 'irreversible': true, 'rectifiers': []")));
	expect_fine(HOOKS(HOOK("h", ", 'irreversible': false, 'rectifiers': ['hooks.h']")));
}
END_TEST

START_TEST(retry_and_idempotent_belong_to_functions_and_irreversible_does_not)
{
	expect_said(SPEC(PROGRAM("p", "", ""), "'s': {'reference': 'programs.p', 'args': {}, 'idempotent': false}"),
		    "/hooks/s/idempotent: ");
	expect_said(
		SPEC(PROGRAM("p", "", ""), "'s': {'reference': 'programs.p', 'args': {}, 'retry': {'attempts': 1}}"),
		"/hooks/s/retry: ");
	expect_fine(SPEC(PROGRAM("p", "", ""), "'s': {'reference': 'programs.p', 'args': {}, 'irreversible': true}"));
}
END_TEST

START_TEST(two_outputs_of_one_hook_have_keys_of_their_own)
{
	const char *both = "'outputs': {" ARG("a", "int") "," ARG("b", "int") "}";
	char spec[512];

	snprintf(spec, sizeof(spec),
		 HOOKS("'h': {'reference': 'wallet.f.h', 'args': {}, %s, 'bind': {'a': 'k', 'b': 'k'}}"), both);
	expect_said(spec, "/hooks/h/bind/b: expected a key of its own for each output; got 'k' for both 'a' and 'b'");
	snprintf(spec, sizeof(spec),
		 HOOKS("'h': {'reference': 'wallet.f.h', 'args': {}, %s, 'bind': {'a': 'b', 'b': 'a'}}"), both);
	expect_fine(spec);
}
END_TEST

#define WRITES(name, more)                          \
	"'" name "': {'reference': 'wallet.f." name \
	"', 'args': {}, 'outputs': {" ARG("a", "int") "," ARG("b", "int") "}" more "}"

START_TEST(two_outputs_of_one_hook_have_keys_of_their_own_whatever_is_bound_around_it)
{
	/* Both outputs are bound further out. */
	expect_said(SPEC(PROGRAM("p", "'hooks.s'", "") "," PROGRAM("q", "'hooks.h'", ""),
			 WRITES("h", "") ",\n" STANDS("s", "q", ", 'bind': {'a': 'k', 'b': 'k'}")),
		    "4:70: /hooks/s/bind/b: expected a key of its own for each output of hooks.h; got 'k' for both 'a' "
		    "and 'b'");
	/* One of them is, and meets the other's name. */
	expect_said(
		SPEC(PROGRAM("p", "'hooks.s'", "") "," PROGRAM("q", "'hooks.h'", ""),
		     WRITES("h", "") "," STANDS("s", "q", ", 'bind': {'a': 'b'}")),
		"/hooks/s/bind/a: expected a key of its own for each output of hooks.h; got 'b' for both 'a' and 'b'");
	/* The hook's own bind is fine by itself. */
	expect_said(
		SPEC(PROGRAM("p", "'hooks.s'", "") "," PROGRAM("q", "'hooks.h'", ""),
		     WRITES("h", ", 'bind': {'a': 'x', 'b': 'y'}") "," STANDS("s", "q", ", 'bind': {'x': 'y'}")),
		"/hooks/s/bind/x: expected a key of its own for each output of hooks.h; got 'y' for both 'a' and 'b'");
	/* As a dependency, and as a rectifier. */
	expect_said(SPEC(PROGRAM("p", "'hooks.s'", ""),
			 WRITES("h", "") "," HOOK("s", ", 'dependencies': ['hooks.h'], 'bind': {'a': 'b'}")),
		    "/hooks/s/bind/a: ");
	expect_said(SPEC(PROGRAM("p", "'hooks.s'", ""),
			 WRITES("h", "") "," HOOK("s", ", 'rectifiers': ['hooks.h'], 'bind': {'b': 'a'}")),
		    "/hooks/s/bind/b: ");
	/* Where two places make the two keys one, it is said where they do. */
	expect_said(SPEC(PROGRAM("p", "'hooks.top'", "") "," PROGRAM("q", "'hooks.h'", ""),
			 WRITES("h", "") "," STANDS("s", "q", ", 'bind': {'a': 'x'}") "," HOOK(
				 "top", ", 'dependencies': ['hooks.s'], 'bind': {'x': 'z', 'b': 'z'}")),
		    "/hooks/top/bind/b: ");
	/* Keys that change places are fine, and so is what no program runs. */
	expect_fine(SPEC(PROGRAM("p", "'hooks.s'", "") "," PROGRAM("q", "'hooks.h'", ""),
			 WRITES("h", "") "," STANDS("s", "q", ", 'bind': {'a': 'b', 'b': 'a'}")));
	expect_fine(SPEC(PROGRAM("q", "'hooks.h'", ""), WRITES("h", "") "," STANDS("s", "q", ", 'bind': {'a': 'b'}")));
}
END_TEST

START_TEST(a_bind_is_of_a_name_that_the_hook_declares_where_outputs_are_declared)
{
	expect_said(HOOKS(HOOK("h", ", 'outputs': {}, 'bind': {'a': 'b'}")), "/hooks/h/bind/a: ");
	expect_fine(HOOKS(HOOK("h", ", 'bind': {'a': 'b'}")));
	expect_fine(HOOKS(HOOK("h", ", 'outputs': {" ARG("a", "int") "}, 'bind': {'a': 'b'}")));
}
END_TEST

START_TEST(a_default_has_the_type_of_its_argument_and_outputs_have_none)
{
	expect_said(IN_ARG("{'type': 'bool', 'required': false, 'default': 0}"), "/hooks/h/args/a/default: ");
	expect_said(IN_ARG("{'type': 'int', 'required': false, 'default': 1.0}"), "/hooks/h/args/a/default: ");
	expect_said(PROGRAMS("'p': {'hooks': [], 'args': {}, 'outputs': {'o': {'type': 'int', 'required': false, "
			     "'default': 1}}}"),
		    "/programs/p/outputs/o/default: ");
	expect_fine(IN_ARG("{'type': 'float', 'required': false, 'default': 1}"));
	expect_fine(IN_ARG("{'type': 'list', 'required': false, 'default': [1, 'x']}"));
	expect_fine(IN_ARG("{'type': 'dict', 'required': true, 'default': {'x': null}}"));
}
END_TEST

START_TEST(a_hook_with_rectifiers_around_a_program_without_any_is_warned_of)
{
	expect_said(SPEC(PROGRAM("p", "'hooks.a'", ""),
			 HOOK("a", "") ",'s': {'reference': 'programs.p', 'args': {}, 'rectifiers': ['hooks.a']}"),
		    "warning: /hooks/s/rectifiers: ");
	expect_fine(SPEC(PROGRAM("p", "", ""),
			 HOOK("a", "") ",'s': {'reference': 'programs.p', 'args': {}, 'rectifiers': ['hooks.a']}"));
	expect_fine(SPEC(
		PROGRAM("p", "'hooks.b'", ""),
		HOOK("a", "") "," HOOK("b", ", 'dependencies': ['hooks.c']") "," HOOK(
			"c",
			", 'rectifiers': ['hooks.a']") ",'s': {'reference': 'programs.p', 'args': {}, 'rectifiers': ['hooks.a']}"));
}
END_TEST

START_TEST(names_of_hooks_and_programs_begin_with_a_letter_or_digit_and_have_64_bytes_at_most)
{
	static const char *const good[] = { "a", "9", "A-b_c", "x-ray",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const bad[] = { "",    "-a",
					   "_a",  "a b",
					   "ä",   "a.b",
					   "a/b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	char spec[512];

	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		snprintf(spec, sizeof(spec),
			 SPEC(PROGRAM("%s", "", ""), "'%s': {'reference': 'wallet.f.g', 'args': {}}"), good[i],
			 good[i]);
		expect_fine(spec);
	}
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		snprintf(spec, sizeof(spec), PROGRAMS(PROGRAM("%s", "", "")), bad[i]);
		expect_said(spec, "a letter or digit first");
		snprintf(spec, sizeof(spec), HOOKS("'%s': {'reference': 'wallet.f.g', 'args': {}}"), bad[i]);
		expect_said(spec, "a letter or digit first");
	}
}
END_TEST

START_TEST(names_of_arguments_are_identifiers_and_no_keywords_of_c_or_cpp)
{
	static const char *const good[] = { "a",   "Int", "final",     "args",  "out",
					    "run", "_a",  "VITAMIN_C", "PRICE", "INTEREST" };
	static const char *const bad[] = { "",      "1a",        "a-b",     "int",    "class",
					   "_",     "co_await",  "bool",    "typeof", "NULL",
					   "linux", "INT64_MAX", "UINT8_C", "PRId64", "alignas" };
	char spec[512];

	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		snprintf(spec, sizeof(spec), HOOKS("'h': {'reference': 'wallet.f.g', 'args': {" ARG("%s", "int") "}}"),
			 good[i]);
		expect_fine(spec);
	}
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		snprintf(spec, sizeof(spec),
			 PROGRAMS("'p': {'hooks': [], 'outputs': {}, 'args': {" ARG("%s", "int") "}}"), bad[i]);
		expect_said(spec, "/programs/p/args/");
	}
}
END_TEST

START_TEST(only_a_hooks_argument_may_be_metadata)
{
	expect_said(HOOKS(HOOK("h", ", 'outputs': {" ARG("_a", "int") "}")), "/hooks/h/outputs/_a: ");
	expect_said(PROGRAMS("'p': {'hooks': [], 'args': {}, 'outputs': {" ARG("_a", "int") "}}"),
		    "/programs/p/outputs/_a: ");
	expect_fine(HOOKS("'h': {'reference': 'wallet.f.h', 'args': {" ARG("_a", "int") "," ARG(
		"b", "int") "}, 'outputs': {}, 'bind': {'b': '_b'}}"));
	/* An output of a nested program's hook that the outer hook binds to metadata. */
	expect_said(
		SPEC(PROGRAM("p", "'hooks.h'", "") "," PROGRAM("q", "'hooks.s'", ""),
		     HOOK("h", ", 'outputs': {" ARG("a", "int") "}") ",'s': {'reference': 'programs.p', 'args': {" ARG(
			     "a", "int") "}, 'bind': {'a': '_a'}}"),
		"/hooks/s/bind/a: expected a key that does not begin with '_'");
}
END_TEST

START_TEST(the_modules_name_is_the_first_part_of_each_functions_reference)
{
	expect_said(REFERENCE("other.f.h"), "/hooks/h/reference: expected the module's name, 'wallet'");
	expect_fine("{'name': 'A-b C_d', 'programs': {}, 'hooks': {'h': {'reference': 'a_b_c_d.f.h', 'args': {}}}}");
}
END_TEST

/* "'x0': VALUE, 'x1': VALUE …" or without names, between what comes before and after. */
static char *many(const char *before, unsigned n, bool named, const char *value, const char *after)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, before);
	for (unsigned i = 0; i < n; i++) {
		buffer_text(&buffer, i > 0 ? "," : "");
		if (named)
			buffer_format(&buffer, "'x%u': ", i);
		buffer_text(&buffer, value);
	}
	buffer_text(&buffer, after);
	return buffer_take_text(&buffer);
}

START_TEST(what_a_spec_may_hold_has_caps)
{
	static const struct {
		const char *before;
		unsigned max;
		bool named;
		const char *value, *after, *said;
	} cases[] = {
		{ "{'name': 'wallet', 'programs': {}, 'hooks': {'h': {'reference': 'wallet.f.h', 'args': {",
		  SPEC_ARGS_MAX, true, "{'type': 'int', 'required': false}", "}}}}",
		  "/hooks/h/args: expected at most 256 members; got 257" },
		{ "{'name': 'wallet', 'hooks': {}, 'programs': {", SPEC_HOOKS_MAX, true,
		  "{'hooks': [], 'args': {}, 'outputs': {}}", "}}",
		  "/programs: expected at most 16384 members; got 16385" },
		{ "{'name': 'wallet', 'programs': {}, 'hooks': {'h': {'reference': 'wallet.f.h', 'args': {}, "
		  "'rectifiers': [",
		  SPEC_REFERENCES_MAX, false, "'hooks.h'", "]}}}",
		  "/hooks/h/rectifiers: expected at most 4096 entries; got 4097" },
		{ "{'name': 'wallet', 'hooks': {}, 'programs': {'p': {'hooks': [], 'args': {}, 'outputs': {}, 'allow': "
		  "{'users': [",
		  SPEC_ALLOWED_MAX, false, "'u'", "]}}}}",
		  "/programs/p/allow/users: expected at most 1024 entries; got 1025" },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_free_ char *fits =
			many(cases[i].before, cases[i].max, cases[i].named, cases[i].value, cases[i].after);
		_cleanup_free_ char *over =
			many(cases[i].before, cases[i].max + 1, cases[i].named, cases[i].value, cases[i].after);

		expect_fine(fits);
		expect_said(over, cases[i].said);
	}
}
END_TEST

START_TEST(a_reference_has_255_bytes_at_most)
{
	char part[65], text[1024];

	memset(part, 'a', 64);
	part[64] = '\0';
	snprintf(text, sizeof(text), REFERENCE("wallet.%s.%s.%s.%.53s"), part, part, part, part);
	expect_fine(text);
	snprintf(text, sizeof(text), REFERENCE("wallet.%s.%s.%s.%.54s"), part, part, part, part);
	expect_said(text, "/hooks/h/reference: expected at most 255 bytes; got 256");
	snprintf(text, sizeof(text), REFERENCE("wallet.a%s.b"), part);
	expect_said(text, "/hooks/h/reference: expected parts of at most 64 bytes; got ");
}
END_TEST

CHECK_MAIN(spec_rules, irreversible_and_rectifiers_exclude_each_other,
	   retry_and_idempotent_belong_to_functions_and_irreversible_does_not,
	   two_outputs_of_one_hook_have_keys_of_their_own,
	   two_outputs_of_one_hook_have_keys_of_their_own_whatever_is_bound_around_it,
	   a_bind_is_of_a_name_that_the_hook_declares_where_outputs_are_declared,
	   a_default_has_the_type_of_its_argument_and_outputs_have_none,
	   a_hook_with_rectifiers_around_a_program_without_any_is_warned_of,
	   names_of_hooks_and_programs_begin_with_a_letter_or_digit_and_have_64_bytes_at_most,
	   names_of_arguments_are_identifiers_and_no_keywords_of_c_or_cpp, only_a_hooks_argument_may_be_metadata,
	   the_modules_name_is_the_first_part_of_each_functions_reference, what_a_spec_may_hold_has_caps,
	   a_reference_has_255_bytes_at_most)
