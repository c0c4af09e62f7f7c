/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between trace.c (runs, hooks, lines), and trace_notice.c (what operators must know, and what they do): the fields of
 * one entry. */
#pragma once

#include "base/log.h"
#include "daemon/trace.h"

#define TRACE_FIELDS_MAX 16

/** \brief With the text that those need which are no text yet. */
typedef struct TraceFields {
	LogField items[TRACE_FIELDS_MAX];
	size_t n;
	char numbers[TRACE_FIELDS_MAX][24];
} TraceFields;

/** \brief Instance alone where \p run is NULL. */
void trace_fields_begin(TraceFields *fields, const Trace *trace, const Run *run);
void trace_field(TraceFields *fields, const char *name, const char *value); /* NULL: left out */
void trace_field_number(TraceFields *fields, const char *name, uint64_t value);

/** \brief Where a run is parked, and what to do: \p fields hold what is known of it already. */
void trace_parked(const Trace *trace, const Run *run, const char *reply, size_t reply_size, TraceFields *fields);
