/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many descriptors there may be (RLIMIT_NOFILE). The daemon takes as many as it is allowed; workers get what it was
 * given, for what hooks call may not bear more. Some are always kept for what is not a connection: workers, recorders, the
 * ledger. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define DESCRIPTORS_RESERVE 32 /* a quarter, where there are few */

/** \brief Raises our limit to the hard one; once, at start. */
int descriptors_raise(void);
/** \brief Gives \p pid the limit that we had before that. */
int descriptors_give(pid_t pid);
/** \brief The first number that is not for connections. */
int descriptors_ceiling(void);
/** \brief Whether there is a number below that which is free. */
bool descriptors_are_free(void);
