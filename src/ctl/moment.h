/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moment as people write it on a command line, by the rules of systemd.time(7): "2026-11-24 10:00", "10:00", "today",
 * "2h ago", "-90s", "@1764000000", each in local time unless it ends with " UTC". A span without a sign, "1h", is that
 * long ago: what is asked for here is always past. Reads no clock. */
#pragma once

#include <stdint.h>

/** \brief Microseconds of the epoch. -EINVAL: that is no moment. */
int moment_parse(const char *text, uint64_t now_usec, uint64_t *ret);
