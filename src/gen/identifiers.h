/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of arguments that a spec's own rules allow, but that cannot be a member of a generated structure: those that C
 * reserves for itself, and the type of other members. */
#pragma once

#include "gen/report.h"
#include "spec/spec.h"

/** \brief A spec, and the text it was read from: what messages point into. */
typedef struct SpecText {
	const char *file;
	const char *text;
	size_t size;
} SpecText;

/** \brief 0; -EBADMSG where \p report has the errors, each as `FILE:LINE:COLUMN: /json/path: …`; -ENOMEM. */
int identifiers_check(const Spec *spec, const SpecText *source, Report *report);
