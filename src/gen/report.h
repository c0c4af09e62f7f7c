/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command has to say, kept in memory until main() prints it: lines for people (standard error) and text to use
 * (standard output: stubs). Who finds an error reports it and returns -EBADMSG; its callers only pass that on. */
#pragma once

#include "base/buffer.h"

typedef struct Report {
	Buffer lines;
	Buffer output;
	unsigned n_errors;
} Report;

void report_done(Report *report);
#define _cleanup_report_ _cleanup_(report_done)

/** \brief A line, without newline at its end. */
void report_line(Report *report, const char *format, ...) _printf_(2, 3);
/** \brief The same, counted as an error. Returns -EBADMSG. */
int report_error(Report *report, const char *format, ...) _printf_(2, 3);
/** \brief Reports that \p doing ("write", "open") did not work on \p path, and why. Returns -EBADMSG. */
int report_errno(Report *report, const char *doing, const char *path, int error);
/** \brief Writes everything out. A negative errno where that did not work, -ENOMEM where lines were lost. */
int report_print(const Report *report);
