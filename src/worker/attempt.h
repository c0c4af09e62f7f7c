/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of a hook's function, between its BEGIN and its END record, and what stands behind libryuso meanwhile. An
 * attempt that a hook ends together with the process has no END: that is how the daemon knows. */
#pragma once

#include "worker/perform.h"

#define ATTEMPT_FEW 4U /* writes that need no memory */

typedef struct Attempt {
	Run *run;
	const PlanOp *op;
	const WalkAction *action;
	PoolWrite few[ATTEMPT_FEW];
	PoolWrite *writes; /* what it has set, each key once: `few`, or owned */
	size_t n_writes, capacity;
	size_t size;  /* what the cap is held against: before the first write 0 */
	bool touched; /* it may have left something behind outside its memory */
} Attempt;

/** \brief Makes the call that \p action asks for. 0; PERFORM_LEAVE; a negative errno. */
int attempt_make(Run *run, const WalkAction *action);

/** \brief What libryuso calls; the host is an Attempt. */
extern const struct ryuso_host attempt_calls;
