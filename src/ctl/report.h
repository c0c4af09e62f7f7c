/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reply says, for people: the status, the outputs, and on failure what failed, what was undone, what remains and
 * what to do next. Outputs go to standard output, failures to standard error; with --json the reply itself goes to
 * standard output instead of both. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief Shows the reply to a run. Returns what to exit with, or -EBADMSG, nothing shown, where it is no reply. */
int report_run(Ctl *ctl, struct json_object *reply);
/** \brief Shows an answer whose "error" says that nothing ran. \p program: what was asked about, or NULL. */
int report_refusal(Ctl *ctl, struct json_object *answer, const char *program);
