/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a run stands, in full, as JSON for `ryusoctl show`: every step with its outcome, what remains, what comes next,
 * the arguments without secrets. */
#pragma once

#include "base/json.h"
#include "run/replay.h"

/** \brief Adds to \p object: "arguments" (object; secrets as null, their names in "secrets"), "steps" (array of {"step",
 * "hook", "state" (walk_stand_name()), "attempts", "usec" (that these took, where they have ended), "rectifiers" (their hooks' names), "irreversible"}), "error" and
 * "parked" as in a reply (or null), "remaining" (as in a reply), "next" (array of sentences' parts: what a retry calls,
 * in order, as {"step","hook","rectifying"}), "decisions" are the caller's. \p replay is fed with all there is. -ENOMEM. */
int account_add(struct json_object *object, Replay *replay, const RecordStart *start);
/** \brief "arguments", "secrets" and "steps" alone: of a run that goes on, too. */
int account_add_steps(struct json_object *object, const Replay *replay, const RecordStart *start);
