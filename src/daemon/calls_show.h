/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between calls_show.c (a run) and calls_show_steps.c (its steps). */
#pragma once

#include "daemon/calls_private.h"

/** \brief Adds "arguments", "secrets" and "steps" of the run in hand, as account_add_steps() has them, as far as what is
 * recorded of it holds. -ENOMEM. */
int show_running_steps(const Calls *calls, const Run *run, struct json_object *object);
/** \brief A list of {"step", "hook", "state" (see walk_stand_name(); null where it is not known), "irreversible"}; NULL
 * where memory is short. */
struct json_object *show_ended_steps(const CatalogProgram *program, struct json_object *reply);
