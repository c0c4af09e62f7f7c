/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Content that a word of the command line points to: a file, or standard input ("-"), which is read once at most. */
#pragma once

#include "base/buffer.h"

#define SOURCE_SIZE_MAX (64U << 20)

/** \brief Appends all of \p path to \p content. Negative errno, with a clause in \p message. */
int source_read(const char *path, Buffer *content, Buffer *message);
