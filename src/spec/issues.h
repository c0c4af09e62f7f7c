/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found wrong while a spec is read: collected by path, located all at once at the end. The same thing found
 * twice is kept once. Errors are kept up to SPEC_ISSUES_MAX, warnings up to half of that. */
#pragma once

#include <stdarg.h>

#include "spec/load.h"

struct IssueDraft;

typedef struct Issues {
	struct IssueDraft *items;
	size_t n;
	size_t capacity;
	size_t n_errors;
	size_t dropped;
	bool failed; /* memory was short; sticks */
} Issues;

void issues_done(Issues *issues);

typedef enum IssuePlace {
	ISSUE_AT_VALUE,
	ISSUE_AT_NAME,
} IssuePlace;

void issues_add(Issues *issues, bool warning, IssuePlace place, const char *path, const char *format, va_list list)
	_printf_(5, 0);
/** \brief An error at a place that is known already. */
void issues_add_at(Issues *issues, size_t offset, const char *path, const char *format, ...) _printf_(4, 5);
/** \brief Finds all places in \p text and hands the issues over, in its order. -ENOMEM. */
int issues_locate(Issues *issues, const char *text, size_t size, SpecIssues *ret);
