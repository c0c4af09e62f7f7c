/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start of a worker: its descriptors, signals and environment. */
#pragma once

#include "daemon/hand.h"

/** \brief Opens the same file anew: a descriptor of its own is told of each error in writing, whoever else was told of
 * it. */
int hand_reopen(int fd);
/** \brief Fills in pid, channel, doorbell and pipe; on failure what was opened is the hand's, to be freed with it. */
int hand_spawn(const HandSetup *setup, Hand *hand);
