/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While the end of a run is waited for: after a second of silence, and now and then afterwards, it looks over a
 * connection of its own what the daemon is doing, and says on standard error why the run waits, each reason once. A run
 * that is followed on a terminal has its line of progress redrawn instead, once it has begun. All this only where
 * somebody looks: on terminals. What such a look cannot find out is not complained about. */
#pragma once

#include "ctl/connection.h"
#include "ctl/follow.h"

typedef struct Patience {
	Ctl *ctl;
	const char *program; /* borrowed; NULL: not known */
	const char *run;     /* borrowed: its id; NULL: not known */
	Follow *follow;      /* borrowed, or NULL */
	Ticker ticker;
	/* private */
	unsigned said;
} Patience;

/** \brief Before the request goes out. */
void patience_begin(Patience *patience);
/** \brief An event has come: whatever it waited for is over. */
void patience_heard(Patience *patience);
