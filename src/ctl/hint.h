/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do next: one line or two for each way in which a request can end otherwise than hoped for. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief Appends the lines for the reply to a run that did not succeed. */
void hint_write(Ctl *ctl, struct json_object *reply, Buffer *text);
/** \brief The same for an error that says that nothing was done. \p program, \p run: what was asked about, or NULL. */
void hint_write_refused(Ctl *ctl, struct json_object *error, const char *program, const char *run, Buffer *text);
/** \brief Appends a command for the reader to type: a verb and its argument. */
void hint_write_command(const Ctl *ctl, const char *verb, const char *argument, Buffer *text);
/** \brief Appends a sentence on how to find out what became of a run. \p run: its id, or NULL where it is not known. */
void hint_write_trace(const Ctl *ctl, const char *run, const char *program, Buffer *text);
