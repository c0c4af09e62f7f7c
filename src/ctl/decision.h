/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator decides about a parked run. It is taken once: where the connection breaks before the answer, what
 * the run says of its decisions tells whether it was, and only if not it is asked for again. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

typedef struct Decision {
	const char *verb;           /* "retry", "skip", "confirm" */
	char *run;                  /* owned: the whole id */
	int64_t step;               /* at which the run stands, or is said to stand */
	struct json_object *before; /* owned: a list of the decisions about the run so far; NULL: none */
} Decision;

void decision_done(Decision *decision);
#define _cleanup_decision_ _cleanup_(decision_done)

/** \brief Looks where the run stands, and fills in the rest. 0, or what to exit with; said already: also where the run
 * is not parked. */
int decision_look(Ctl *ctl, Decision *decision);
/** \brief Has it taken: 0 with {"run","verb","step"}, or what to exit with. */
int decision_take(Ctl *ctl, const Decision *decision, struct json_object **ret_result);
/** \brief What it would do, if it were taken: 0 with the result of a dry run, or what to exit with. */
int decision_try(Ctl *ctl, const Decision *decision, struct json_object **ret_result);
