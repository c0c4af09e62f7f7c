/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon parks a run that no worker can, or may, take up. Its records get what is missing (the END of an attempt in
 * hand, PARK, FINISH), so that it replays like any other parked run. Pure. */
#pragma once

#include "run/replay.h"

typedef struct Parked {
	Buffer records;  /* record_pack()ed, whole */
	Buffer reply;    /* as in FINISH */
	uint32_t step;   /* where it stands; 0: not known */
	WalkError error; /* code, step alone are filled in */
} Parked;

void parked_done(Parked *parked);
#define _cleanup_parked_ _cleanup_(parked_done)

/** \brief \p records: packed, START first, without FINISH. \p plan NULL: it is not known; then the reply names the steps
 * that have begun by number alone. \p now_usec: monotonic. -EBADMSG where they do not replay with \p plan: to be called
 * again without. */
int park_make(const void *records, size_t size, const Plan *plan, ErrorCode code, const char *message,
	      uint64_t now_usec, Parked *ret);
