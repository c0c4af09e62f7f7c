/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a run stands, for people: the result of the call `show`. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief 0 with the result, or what to exit with; said already. */
int show_ask(Ctl *ctl, const char *run, struct json_object **ret_result);
/** \brief All of it: the run, its arguments, its steps, the decisions, and the commands that can be given now. */
int show_write(const Ctl *ctl, struct json_object *result, Buffer *text);
/** \brief "wallet, build abc123, which is not here any more", and a newline. */
void show_write_module(struct json_object *module, Buffer *text);

/* The tables, each with its title; nothing where there is nothing to be shown. Negative errno. */
int show_write_steps(const Ctl *ctl, struct json_object *result, Buffer *text);
/** \brief The calls that a retry makes; `retry --dry-run` shows the same. */
int show_write_next(const Ctl *ctl, struct json_object *result, Buffer *text);
int show_write_decisions(const Ctl *ctl, struct json_object *result, Buffer *text);
