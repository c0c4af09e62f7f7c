/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happened, for the journal (structured entries) and for clients that follow a run (event lines). Of a data pool
 * nothing is ever logged; metadata is, cut at LOG_FIELD_MAX bytes. With Trace=failures a run that ends well costs no
 * formatting. */
#pragma once

#include "daemon/config.h"
#include "daemon/run.h"

typedef struct Trace {
	TraceLevel level;
	const char *instance; /* borrowed */
} Trace;

void trace_begun(const Trace *trace, Run *run);
/** \brief An attempt has ended. */
void trace_call(const Trace *trace, Run *run, const RecordEnd *end);
void trace_ended(const Trace *trace, Run *run, const RecordFinish *finish);
/** \brief A line from a worker; \p run NULL: no run was in hand. */
void trace_output(const Trace *trace, const Run *run, pid_t worker, int priority, const char *text, size_t size);
