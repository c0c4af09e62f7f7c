/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The static check of a plan's data flow: an argument that no run can provide is an error, one that only some runs
 * provide a warning (rule 5). A hook that declares no outputs may write anything: what follows it is not judged. */
#pragma once

#include "spec/plan.h"

typedef struct FlowFinding {
	bool warning;
	bool output; /* `arg` is an output, which is missing at the end; else an argument, missing at the beginning */
	const SpecHook *hook;       /* whose it is, or NULL: it is of `program` */
	const SpecProgram *program; /* NULL where it is of `hook` */
	const SpecArg *arg;
	char *message; /* owned */
} FlowFinding;

typedef struct FlowFindings {
	FlowFinding *items;
	size_t n;
} FlowFindings;

void flow_findings_done(FlowFindings *findings);
int flow_check(const Plan *plan, FlowFindings *ret);
