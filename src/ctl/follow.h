/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events of a run, as they come (--follow): a line for each attempt of a hook or rectifier that has ended. On a
 * terminal that can show them, with a sign in front, and with a line for the attempt in hand that is overwritten when
 * it ends; elsewhere in words; with --json as they came. What was shown before a connection broke is not shown again. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

typedef struct Follow {
	Ctl *ctl;
	bool pending;              /* the last line has no end yet */
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
/** \brief Takes back the line of an attempt in hand, if there is one. */
void follow_settle(Follow *follow);
