/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes ("64K"), times ("1.5s", "5min 30s") and counts as people write them in settings, and back. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

/** \brief A number of bytes, or of K, M, G or T (powers of 1024), then with a fraction, if need be. -EINVAL, -ERANGE. */
int quantity_size(const char *text, uint64_t *ret);
/** \brief Terms of a number (with a fraction, if need be) and a unit of systemd.time(7); s where none is said. */
int quantity_time(const char *text, uint64_t *ret_usec);
int quantity_count(const char *text, uint64_t *ret);
void quantity_format_size(uint64_t size, Buffer *buffer);
void quantity_format_time(uint64_t usec, Buffer *buffer);
