/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events of a run, as they come (--follow): a line for each attempt of a hook or rectifier that has ended. On a
 * terminal that can show them, with a sign in front; elsewhere in words. On any terminal there is a line below for the
 * attempt in hand, redrawn while it lasts and taken back when it ends; with --json as they came. What was shown before a connection broke is not shown again. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/progress.h"

struct json_object;

typedef struct Follow {
	Ctl *ctl;
	bool pending;              /* the last line has no end yet */
	Progress progress;         /* what that line shows */
	uint64_t looked_usec;      /* when it was last asked for */
	bool rejoined;             /* the connection is not the first one */
	char *run;                 /* owned: the run's id, once an event has told it */
	struct json_object *shown; /* owned: the keys of what was shown, as members; NULL: none yet */
} Follow;

void follow_done(Follow *follow);
#define _cleanup_follow_ _cleanup_(follow_done)

/** \brief Shows one event. -ENOMEM. */
int follow_event(Follow *follow, struct json_object *event);
/** \brief What comes from now on comes over another connection. */
void follow_rejoin(Follow *follow);
/** \brief Whether there is a line for the attempt in hand that is to be redrawn. */
bool follow_is_live(const Follow *follow);
/** \brief Redraws it. Where no event has told what is in hand, the daemon is asked, over another connection. Returns when
 * it is to be redrawn next, monotonic. */
uint64_t follow_tick(Follow *follow);
/** \brief When it is to be drawn after an event. */
uint64_t follow_next_tick(const Follow *follow);
/** \brief Takes back the line of an attempt in hand, if there is one. */
void follow_settle(Follow *follow);
