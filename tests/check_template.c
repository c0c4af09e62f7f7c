/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/template.h"

#include <errno.h>
#include <string.h>

#include "check_main.h"

/* Two names, a flag of each kind, a list of two items with a name of their own, and an empty list. */
static Fields *some_fields(void)
{
	Fields *fields = fields_new();

	ck_assert_ptr_nonnull(fields);
	fields_text(fields, "name", "wallet");
	fields_text(fields, "empty", "");
	fields_flag(fields, "yes", true);
	fields_flag(fields, "no", false);
	fields_list(fields, "none");
	for (unsigned i = 1; i <= 2; i++) {
		Fields *item = fields_add(fields, "items");

		fields_format(item, "number", "%u", i);
		for (unsigned j = 0; j < i; j++)
			fields_text(fields_add(item, "inner"), "name", j ? "b" : "a");
	}
	ck_assert_int_eq(fields_error(fields), 0);
	return fields;
}

static int render(const char *text, Buffer *buffer, TemplateError *error)
{
	_cleanup_fields_ Fields *fields = some_fields();

	return template_render(text, strlen(text), fields, buffer, error);
}

static void assert_renders(const char *text, const char *expected)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *found = NULL;
	TemplateError error = { 0 };

	ck_assert_msg(render(text, &buffer, &error) == 0, "%s: line %u: %s", text, error.line, error.message);
	found = buffer_take_text(&buffer);
	ck_assert_str_eq(found, expected);
}

static void assert_fails(const char *text, unsigned line, const char *message)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	TemplateError error = { 0 };

	ck_assert_int_eq(render(text, &buffer, &error), -EBADMSG);
	ck_assert_uint_eq(error.line, line);
	ck_assert_msg(strstr(error.message, message), "expected \"%s\" in \"%s\"", message, error.message);
}

START_TEST(a_name_is_replaced_by_its_text)
{
	assert_renders("", "");
	assert_renders("plain { } {x} }}\n", "plain { } {x} }}\n");
	assert_renders("{{name}}", "wallet");
	assert_renders("a{{name}}b{{name}}{{empty}}c", "awalletbwalletc");
	assert_renders("{ {{name}} }", "{ wallet }");
}
END_TEST

START_TEST(a_section_stands_once_for_each_item)
{
	assert_renders("{{#items}}<{{number}}>{{/items}}", "<1><2>");
	assert_renders("{{#none}}x{{/none}}", "");
	assert_renders("{{^none}}x{{/none}}", "x");
	assert_renders("{{^items}}x{{/items}}", "");
}
END_TEST

START_TEST(a_flag_turns_a_section_on_or_off)
{
	assert_renders("{{#yes}}1{{/yes}}{{#no}}2{{/no}}{{^yes}}3{{/yes}}{{^no}}4{{/no}}", "14");
}
END_TEST

START_TEST(an_inner_name_hides_the_outer_one_of_the_same_name)
{
	assert_renders("{{#items}}{{#inner}}{{name}}{{number}} {{/inner}}{{name}};{{/items}}",
		       "a1 wallet;a2 b2 wallet;");
}
END_TEST

START_TEST(a_tag_alone_on_its_line_takes_the_line_with_it)
{
	assert_renders("a\n{{#yes}}\nb\n{{/yes}}\nc\n", "a\nb\nc\n");
	assert_renders("a\n\t{{#no}}  \nb\n  {{/no}}\nc", "a\nc");
	assert_renders("{{#items}}\n{{number}}\n{{/items}}", "1\n2\n");
	assert_renders("a {{#yes}}\nb{{/yes}}\n", "a \nb\n");
	assert_renders("\t{{name}}\n", "\twallet\n");
}
END_TEST

START_TEST(a_comment_is_left_out)
{
	assert_renders("{{! one }}\na{{! two }}b\n", "ab\n");
}
END_TEST

START_TEST(a_name_that_is_no_field_is_an_error_with_its_line)
{
	assert_fails("a\nb\n{{nmae}}\n", 3, "{{nmae}}");
	assert_fails("{{#items}}\n{{#nothing}}{{/nothing}}\n{{/items}}\n", 2, "{{#nothing}}");
	assert_fails("{{number}}", 1, "{{number}}");
}
END_TEST

START_TEST(a_text_opens_no_section_and_a_list_is_no_text)
{
	assert_fails("\n{{#name}}x{{/name}}", 2, "is a text");
	assert_fails("\n\n{{items}}", 3, "is no text");
	assert_fails("{{yes}}", 1, "is no text");
}
END_TEST

START_TEST(sections_that_do_not_match_are_errors_with_their_lines)
{
	assert_fails("a\n{{#yes}}\nb\n", 2, "never ended");
	assert_fails("a\n{{/yes}}\n", 2, "not begun");
	assert_fails("{{#yes}}\n{{#no}}\n{{/yes}}\n{{/no}}\n", 3, "expected {{/no}}");
	assert_fails("{{#no}}{{#yes}}{{/no}}{{/yes}}", 1, "expected {{/yes}}");
}
END_TEST

static void nest(char *text, unsigned depth)
{
	*text = '\0';
	for (unsigned i = 0; i < depth; i++)
		strcat(text, "{{#yes}}");
	for (unsigned i = 0; i < depth; i++)
		strcat(text, "{{/yes}}");
}

START_TEST(sections_that_are_nested_too_deep_are_an_error)
{
	char text[1024];

	nest(text, TEMPLATE_DEPTH_MAX);
	assert_renders(text, "");
	nest(text, TEMPLATE_DEPTH_MAX + 1);
	assert_fails(text, 1, "deeper than");
}
END_TEST

START_TEST(a_tag_that_is_not_closed_on_its_line_is_an_error)
{
	assert_fails("a\n{{name\n}}", 2, "expected }}");
	assert_fails("{{", 1, "expected }}");
	assert_fails("{{name}", 1, "expected }}");
	assert_fails("a\n\n{{Name}}", 3, "expected a name");
	assert_fails("{{}}", 1, "expected a name");
	assert_fails("{{#}}", 1, "expected a name");
	assert_fails("{{# yes}}{{/yes}}", 1, "expected a name");
}
END_TEST

CHECK_MAIN(template, a_name_is_replaced_by_its_text, a_section_stands_once_for_each_item,
	   a_flag_turns_a_section_on_or_off, an_inner_name_hides_the_outer_one_of_the_same_name,
	   a_tag_alone_on_its_line_takes_the_line_with_it, a_comment_is_left_out,
	   a_name_that_is_no_field_is_an_error_with_its_line, a_text_opens_no_section_and_a_list_is_no_text,
	   sections_that_do_not_match_are_errors_with_their_lines, sections_that_are_nested_too_deep_are_an_error,
	   a_tag_that_is_not_closed_on_its_line_is_an_error)
