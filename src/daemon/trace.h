/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happened, for the journal (structured entries) and for clients that follow a run (event lines). Of a data pool
 * nothing is ever logged; metadata is, cut at LOG_FIELD_MAX bytes. With Trace=failures a run that ends well costs no
 * formatting. What an operator must know, and what operators decide, is logged whatever Trace= says. */
#pragma once

#include "daemon/config.h"
#include "daemon/ledger.h"
#include "daemon/run.h"

typedef struct Trace {
	TraceLevel level;
	const char *instance; /* borrowed */
	bool user;            /* it is a daemon of a user's own */
} Trace;

#define TRACE_COMMAND_MAX 128U

/** \brief "ryusoctl -I wallet parked", as whoever looks after this instance types it. Returns \p text. */
const char *trace_command(const Trace *trace, const char *verb, char text[static TRACE_COMMAND_MAX]);

/** \brief It has begun, or (run->taken_up) goes on by an operator's decision. */
void trace_begun(const Trace *trace, Run *run);
/** \brief An attempt has ended. */
void trace_call(const Trace *trace, Run *run, const RecordEnd *end);
/** \brief It has ended, or is parked: then \p finish->reply (else run->reply) says where it stands. */
void trace_ended(const Trace *trace, Run *run, const RecordFinish *finish);
/** \brief A line from a worker; \p run NULL: no run was in hand. */
void trace_output(const Trace *trace, const Run *run, pid_t worker, int priority, const char *text, size_t size);

/** \brief It goes on after an interruption; \p why: a clause, or NULL. */
void trace_taken_up(const Trace *trace, const Run *run, const char *why);
/** \brief An operator's decision about a parked run is durable. \p program: or NULL. */
void trace_decided(const Trace *trace, const char *program, const LedgerDecision *decision);
/** \brief A parked run with which nobody can go on is left as it is, by an operator's decision. */
void trace_left(const Trace *trace, const char *program, const Id *run);
/** \brief An operator holds the queue, or lets it go on. */
void trace_held(const Trace *trace, const LedgerHold *hold);
/** \brief The state directory \p path was elsewhere before, and holds \p n_parked runs that were parked there. */
void trace_moved(const Trace *trace, const char *path, uint64_t n_parked);
/** \brief The state directory is damaged, or cannot be used: a sentence that says what, and what to do. */
void trace_store(const Trace *trace, const char *sentence);
