/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What those are told who follow a run, by `follow` of a request or by the call `watch`: that it has begun, that an
 * attempt is in hand (once that has taken a while: what is quick is told when it has ended), that one has ended. Who
 * does not take the lines is sent fewer of them (see slot_takes_events()), and is told how many were left out; the answer
 * itself is never left out. */
#pragma once

#include "daemon/run.h"

#define FOLLOW_HAND_USEC (200 * USEC_PER_MSEC) /* after which an attempt in hand is told of */

/** \brief Each tells all that follow \p run, of whom there is one. */
void follow_begun(Run *run);
void follow_ended(Run *run, const RecordEnd *end, uint64_t usec, const char *reason, const char *message);
/** \brief Tells of the attempt in hand, once, where it is time to. Called every few milliseconds. */
void follow_hand(Run *run, uint64_t now_usec);
/** \brief Tells one who begins to follow where the run stands. \p state: "queued", "running", "rectifying" …; \p run is
 * in memory. */
void follow_state(const Run *run, const char *state, Slot *slot);
/** \brief NULL where the plan has no such call: the number came from a worker. */
const char *run_hook_name(const Run *run, uint32_t op);
