/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attempt that a followed run has in hand, as one line that a terminal shows until it ends: a sign, the step and of
 * how many, the hook, for how long. Reads no clock and writes nothing itself. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

struct json_object;

typedef struct Progress {
	bool known; /* what follows; `hook` may be NULL all the same: between two attempts */
	char *hook; /* owned */
	bool rectifying;
	int64_t step, steps, attempt;
	uint64_t since_usec; /* monotonic: when it began, or what came before it ended */
} Progress;

void progress_done(Progress *progress);
/** \brief Nothing is known of what is in hand since \p now. */
void progress_begin(Progress *progress, uint64_t now);
/** \brief An event that tells of an attempt in hand, and since when it is. -ENOMEM. */
int progress_event(Progress *progress, struct json_object *event, uint64_t now);
/** \brief The member "running" of `show`; NULL: it does not run. -ENOMEM. */
int progress_running(Progress *progress, struct json_object *running);
/** \brief Appends the line without its end: at most \p width characters; "… 2/5 credit (attempt 2)  3.4 s". Without
 * \p utf8 in words: "hook 2/5 credit: running (3.4 s)". Nothing where nothing is known. */
void progress_write(const Progress *progress, uint64_t now, size_t width, bool utf8, Buffer *text);
