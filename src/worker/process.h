/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a process a worker: it dies with the daemon, is the first to go when memory is short, leaves no core, and
 * orphans below it fall to it. */
#pragma once

#include <stddef.h>

/** \brief \p memory: bytes of address space; 0: no limit. */
int process_init(size_t memory);
