/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of spec/flow's walk over a plan, and what it says of an argument that is not provided. */
#pragma once

#include "spec/flow.h"
#include "spec/view.h"

/* The pools for which an operation is judged: on the way forward there is one. A rectifier is judged for the pool as
 * its step left it, for that overlaid with what rectifiers of later steps may have written, and in doubt. */
enum { LEFT, OVERLAID, DOUBT, VIEWS_MAX };

typedef struct Flow {
	const Plan *plan;
	ViewKey *views[VIEWS_MAX];
	unsigned n_views;
	const SpecHook *reversed; /* the step's, on the way back */
	ViewKey *forward;         /* the pool on the way forward: after the step in hand */
	ViewKey *found;           /* and as its function found it */
	uint32_t *later;          /* by key and type: the last step of which a rectifier may write it */
	uint32_t later_any;       /* the last step of which a rectifier may write anything */
	FlowFindings findings;
	size_t capacity;
} Flow;

typedef enum Fault {
	FAULT_NONE,
	FAULT_SOME,
	FAULT_NEVER,
	FAULT_OWN, /* only the step that is reversed provides it (rule 4) */
} Fault;

/** \brief The sentence, to be freed; -ENOMEM. */
int flow_message(const Flow *flow, Fault fault, const PlanOp *op, const PlanArg *arg, char **ret);
