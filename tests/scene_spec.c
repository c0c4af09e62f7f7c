/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "spec/load.h"
#include "tests/scene.h"

char *scene_quoted(const char *text, size_t size)
{
	char *copy = strndup(text, size);

	ck_assert_ptr_nonnull(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

const char *scene_name(const char *at, char name[static SPEC_NAME_MAX])
{
	size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	ck_assert_msg(size > 0 && size < SPEC_NAME_MAX, "no name at \"%s\"", at);
	memcpy(name, at, size);
	name[size] = '\0';
	return at + size;
}

static const char *take_reference(const char *at, Buffer *list)
{
	char name[SPEC_NAME_MAX];
	bool program = *at == '@';

	at = scene_name(at + program, name);
	buffer_format(list, "%s\"%s.%s\"", list->size ? "," : "", program ? "programs" : "hooks", name);
	return at;
}

static const char *take_list(const char *at, Buffer *list)
{
	if (*at != '(')
		return at;
	for (at++; *at != ')'; at += *at == ' ')
		at = take_reference(at, list);
	return at + 1;
}

static void write_list(Buffer *json, const char *key, Buffer *list)
{
	_cleanup_free_ char *text = buffer_take_text(list);

	buffer_format(json, ",\"%s\":[%s]", key, text);
}

static void write_rest(Buffer *json, const char *at, const char *end, const char *const *keys)
{
	_cleanup_free_ char *members = NULL;

	at += strspn(at, " ");
	members = scene_quoted(at, (size_t)(end - at));
	for (; *keys; keys++)
		if (!strstr(members, *keys))
			buffer_format(json, ",%s:{}", *keys);
	buffer_format(json, "%s%s}", *members ? "," : "", members);
}

static void write_program(const char *at, const char *end, Buffer *json)
{
	static const char *const keys[] = { "\"args\"", "\"outputs\"", NULL };
	_cleanup_buffer_ Buffer hooks = {};
	char name[SPEC_NAME_MAX];

	at = take_list(scene_name(at + 1, name), &hooks);
	buffer_format(json, "%s\"%s\":{\"description\":\"\"", json->size ? "," : "", name);
	write_list(json, "hooks", &hooks);
	write_rest(json, at, end, keys);
}

static void write_hook(const char *at, const char *end, Buffer *json)
{
	static const char *const keys[] = { "\"args\"", NULL };
	_cleanup_buffer_ Buffer dependencies = {}, rectifiers = {};
	char name[SPEC_NAME_MAX], program[SPEC_NAME_MAX];
	bool stands;

	at = scene_name(at, name);
	stands = *at == '=';
	if (stands)
		at = scene_name(at + 2, program);
	at = take_list(at, &dependencies);
	while (*at == '-')
		at = take_reference(at + 1, &rectifiers);
	buffer_format(json, "%s\"%s\":{\"reference\":\"%s%s\"", json->size ? "," : "", name,
		      stands ? "programs." : "m.f.", stands ? program : name);
	write_list(json, "dependencies", &dependencies);
	write_list(json, "rectifiers", &rectifiers);
	write_rest(json, at, end, keys);
}

/* The spec's JSON; the first program's name in \p ret_main. */
static char *spec_text(const char *shorthand, char ret_main[static SPEC_NAME_MAX])
{
	_cleanup_buffer_ Buffer programs = {}, hooks = {}, all = {};
	_cleanup_free_ char *programs_text = NULL, *hooks_text = NULL;

	scene_name(strchr(shorthand, '@') + 1, ret_main);
	for (const char *at = shorthand, *end; *at; at = end + (*end == '\n')) {
		end = strchrnul(at, '\n');
		if (*at == '@')
			write_program(at, end, &programs);
		else if (at < end)
			write_hook(at, end, &hooks);
	}
	programs_text = buffer_take_text(&programs);
	hooks_text = buffer_take_text(&hooks);
	buffer_format(&all, "{\"name\":\"m\",\"programs\":{%s},\"hooks\":{%s}}", programs_text, hooks_text);
	return buffer_take_text(&all);
}

void scene_load(Scene *scene, const char *shorthand)
{
	char main[SPEC_NAME_MAX];
	_cleanup_free_ char *text = spec_text(shorthand, main);
	_cleanup_spec_issues_ SpecIssues issues = {};
	PlanError error;

	if (spec_load(text, strlen(text), &scene->spec, &issues) < 0) {
		_cleanup_buffer_ Buffer why = {};
		_cleanup_free_ char *why_text = NULL;

		for (size_t i = 0; i < issues.n; i++)
			spec_issue_format(&issues.items[i], "\nspec", &why);
		why_text = buffer_take_text(&why);
		ck_abort_msg("%s:%s", text, why_text);
	}
	ck_assert_int_eq(plan_compile(scene->spec, spec_program(scene->spec, main), &scene->plan, &error), 0);
}
