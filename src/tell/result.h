/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a run ended, or stands, as the text of its reply: what the walk knows in the words of the wire. Used by the worker
 * for FINISH, and by the daemon for what it parks itself. */
#pragma once

#include "run/walk.h"

/** \brief Appends the reply's members from "program" on (wire/reply.h). \p ret_error: what made it fail, borrowed from
 * the walk. -ENOMEM. */
int result_write(Walk *walk, const Plan *plan, Buffer *buffer, WalkError *ret_error);
/** \brief The same of a run that is parked, with \p parked, though its walk has ended or stands for another reason
 * (Replay.set_aside). Where the code is NONE, nothing is said of why. */
int result_write_aside(Walk *walk, const Plan *plan, const WalkError *parked, Buffer *buffer, WalkError *ret_error);
