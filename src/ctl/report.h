/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reply says, for people: the status, the outputs, and on failure what failed, what was undone, what remains and
 * what to do next. Outputs go to standard output, failures to standard error; with --json the reply itself goes to
 * standard output instead of both. */
#pragma once

#include "ctl/call.h"

struct json_object;

/** \brief Shows the reply to a run. Returns what to exit with, or -EBADMSG, nothing shown, where it is no reply. */
int report_run(Ctl *ctl, struct json_object *reply);
/** \brief Shows an answer to \p call whose "error" says that nothing was done. */
int report_refusal(Ctl *ctl, struct json_object *answer, const Call *call);
/** \brief Appends "step 3, credit: HookFailed: UnknownAccount: no such account: rent", and a newline. */
void report_write_error(struct json_object *error, Buffer *text);
/** \brief Appends "step 2, fee (in doubt); step 1, debit", or "nothing", and a newline. */
void report_write_steps(struct json_object *steps, Buffer *text);
