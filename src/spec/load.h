/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON → Spec. Everything that is wrong with a spec is found in one go and reported with its place; what is only
 * doubtful is a warning. Rules 1 to 6 are checked here, in spec/plan and in spec/flow; spec_load() runs all three. */
#pragma once

#include "spec/spec.h"

typedef struct SpecIssue {
	bool warning;
	unsigned line, column; /* from 1; of the value (or the name) that is meant */
	char *path;            /* "/hooks/debit/args/amount/type"; "" for the whole */
	char *message;         /* "expected …; got …", with "did you mean …?" where that helps */
} SpecIssue;

typedef struct SpecIssues {
	SpecIssue *items; /* in the order of the file */
	size_t n;
	size_t n_errors;
	size_t dropped; /* beyond SPEC_ISSUES_MAX they are only counted */
} SpecIssues;

#define SPEC_ISSUES_MAX 1000U

void spec_issues_done(SpecIssues *issues);
#define _cleanup_spec_issues_ _cleanup_(spec_issues_done)
/** \brief One line: `FILE:LINE:COLUMN: [warning: ]PATH: MESSAGE`, without newline. */
void spec_issue_format(const SpecIssue *issue, const char *file, Buffer *buffer);

/** \brief 0; -EBADMSG where there are errors (\p ret_issues has them, and no spec is returned); -ENOMEM. */
int spec_load(const char *text, size_t size, Spec **ret, SpecIssues *ret_issues);
