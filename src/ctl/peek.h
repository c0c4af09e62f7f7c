/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A short look at the daemon over a connection of its own, for what would be nice to know. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief The result of a call (\p run: its parameter, or NULL), which the caller puts; NULL where there is none within
 * \p limit_usec, for whatever reason. Says nothing. */
struct json_object *peek(const char *socket, const char *call, const char *run, uint64_t limit_usec);
