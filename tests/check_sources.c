/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/sources.h"

#include <string.h>

#include "check_main.h"

/* Whether \p text defines ledger_debit(), and as what. */
static const Definition *find(Sources *sources, const char *text)
{
	ck_assert_int_eq(sources_scan_text(sources, "hooks/ledger.c", text, strlen(text)), 0);
	for (size_t i = 0; i < sources->n; i++)
		if (strcmp(sources->items[i].symbol, "ledger_debit") == 0)
			return &sources->items[i];
	return NULL;
}

static void assert_defined(const char *text)
{
	_cleanup_sources_ Sources sources = { 0 };

	ck_assert_msg(find(&sources, text) != NULL, "found no definition in: %s", text);
}

static void assert_not_defined(const char *text)
{
	_cleanup_sources_ Sources sources = { 0 };

	ck_assert_msg(find(&sources, text) == NULL, "found a definition in: %s", text);
}

START_TEST(a_function_with_a_body_is_a_definition)
{
	assert_defined("ryuso_status ledger_debit(ryuso_run *run) { return RYUSO_OK; }");
	assert_defined("ryuso_status\nledger_debit (ryuso_run *run)\n{\n}\n");
	assert_defined("int x; ryuso_status ledger_debit(int (*f)(int), const char *s)/* now */{}");
	assert_defined("static const char quote = '\"'; int ledger_debit(void) {}");
	assert_defined("#define APOSTROPHE don't\nint ledger_debit(void) {}");
	assert_defined("#define LONG \\\n  \"\nint ledger_debit(void) {}");
	assert_defined("// a \"comment\nint ledger_debit(void) {}");
	assert_defined("char *s = \"\\\"\"; int ledger_debit(void) {}");
}
END_TEST

START_TEST(prototypes_calls_and_mentions_are_none)
{
	assert_not_defined("ryuso_status ledger_debit(ryuso_run *run);");
	assert_not_defined("int f(void) { return ledger_debit(run); }");
	assert_not_defined("int f(void) { if (ledger_debit(run)) { return 1; } }");
	assert_not_defined("/* ledger_debit(run) { } */");
	assert_not_defined("// ledger_debit(run) { }\n");
	assert_not_defined("const char *s = \"ledger_debit(run) { }\";");
	assert_not_defined("#define X ledger_debit(run) {\n");
	assert_not_defined("int my_ledger_debit(void) { }");
	assert_not_defined("int ledger_debit2(void) { }");
	assert_not_defined("int ledger_debit");
	assert_not_defined("int ledger_debit(");
	assert_not_defined("int ledger_debit(void)");
	assert_not_defined("/* int ledger_debit(void) {}");
	assert_not_defined("\"int ledger_debit(void) {}");
	assert_not_defined("");
}
END_TEST

START_TEST(a_hook_is_known_by_its_arguments_and_placed_by_its_line)
{
	_cleanup_sources_ Sources sources = { 0 };
	const Definition *found;

	found = find(&sources,
		     "\n/*\n*/ ryuso_status ledger_debit(ryuso_run *run, const struct ledger_debit_args *args)\n{}\n"
		     "int helper(void) {}\n");
	ck_assert_ptr_nonnull(found);
	ck_assert(found->hook);
	ck_assert_uint_eq(found->line, 3);
	ck_assert_str_eq(found->file, "hooks/ledger.c");
	ck_assert_uint_eq(sources.n, 2);
	ck_assert(!sources.items[1].hook);
}
END_TEST

START_TEST(a_long_row_of_open_parentheses_is_skimmed_in_time)
{
	_cleanup_sources_ Sources sources = { 0 };
	_cleanup_free_ char *text = malloc(3000001);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < 3000000; i += 3)
		memcpy(text + i, " a(", 3);
	text[3000000] = '\0';
	ck_assert_ptr_null(find(&sources, text));
}
END_TEST

CHECK_MAIN(sources, a_function_with_a_body_is_a_definition, prototypes_calls_and_mentions_are_none,
	   a_hook_is_known_by_its_arguments_and_placed_by_its_line, a_long_row_of_open_parentheses_is_skimmed_in_time)
