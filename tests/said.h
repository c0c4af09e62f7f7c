/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specs in C strings, with single quotes for double ones, and what spec_load() says about them. */
#pragma once

#include <errno.h>
#include <string.h>

#include "spec/load.h"
#include "tests/check_main.h"
#include "tests/mistakes.h"

#define WITH(name, dependencies, rectifiers) \
	HOOK(name, ", 'outputs': {}, 'dependencies': [" dependencies "], 'rectifiers': [" rectifiers "]")
#define STANDS(name, program, more) "'" name "': {'reference': 'programs." program "', 'args': {}" more "}"

static inline char *double_quotes(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return copy;
}

/* The issues of a spec as lines, quotes single. */
static inline char *spec_said(const char *spec)
{
	_cleanup_free_ char *text = double_quotes(spec);
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_spec_ Spec *loaded = NULL;
	int r = spec_load(text, strlen(text), &loaded, &issues);
	char *said;

	ck_assert_int_eq(r, issues.n_errors > 0 ? -EBADMSG : 0);
	ck_assert_int_eq(loaded != NULL, r == 0);
	for (size_t i = 0; i < issues.n; i++) {
		buffer_text(&buffer, i > 0 ? "\n" : "");
		spec_issue_format(&issues.items[i], "", &buffer);
	}
	said = buffer_take_text(&buffer);
	for (char *at = said; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	return said;
}

static inline Spec *spec_read(const char *spec)
{
	_cleanup_free_ char *text = double_quotes(spec), *said = spec_said(spec);
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	Spec *loaded = NULL;

	ck_assert_str_eq(said, "");
	ck_assert_int_eq(spec_load(text, strlen(text), &loaded, &issues), 0);
	return loaded;
}

static inline void expect_said(const char *spec, const char *part)
{
	_cleanup_free_ char *said = spec_said(spec);

	ck_assert_msg(strstr(said, part) != NULL, "%s\nwas said of\n%s\nand not %s", said, spec, part);
}

static inline void expect_fine(const char *spec)
{
	spec_free(spec_read(spec));
}
