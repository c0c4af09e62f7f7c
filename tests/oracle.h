/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chance with a memory: random specs, and what happens in runs of them, as pure functions of a seed and a count. The
 * walk and the naive model ask the same oracle and so live through the same run. Everything handed out is borrowed from
 * the oracle, the spec or static tables. */
#pragma once

#include "run/walk.h"

#define ORACLE_WRITES_MAX 16

typedef struct Oracle {
	uint64_t seed;
	const Spec *spec;
} Oracle;

typedef struct OracleWrite {
	const char *name; /* as the hook says it, before any bind */
	const Value *value;
} OracleWrite;

typedef struct OracleOutcome {
	OutcomeKind kind;
	ErrorCode error;
	const char *reason;
	const char *program;
	OracleWrite writes[ORACLE_WRITES_MAX];
	size_t n_writes;
	uint64_t usec; /* that the call took */
} OracleOutcome;

typedef enum OracleMoment {
	MOMENT_BEFORE, /* before the next action is asked for */
	MOMENT_NAMED,  /* when it was named: a call not made yet, or a wait */
	MOMENT_IN_HAND /* while the call before it is in hand */
} OracleMoment;

typedef struct OracleStop {
	ErrorCode cause; /* ERROR_NONE: nobody asks for a stop here */
	const char *program;
	OracleMoment moment;
} OracleStop;

typedef enum OracleVerb {
	VERB_NONE,
	VERB_RETRY,
	VERB_SKIP,
	VERB_CONFIRM,
} OracleVerb;

/** \brief A spec's JSON; its program "p0" is meant to be run. Not every one is valid. To be freed. */
char *oracle_spec(uint64_t seed);
/** \brief The request's data pool (seldom a wrong one) and metadata. */
size_t oracle_arguments(const Oracle *oracle, const SpecProgram *program, OracleWrite writes[static ORACLE_WRITES_MAX]);
/** \brief How call number \p n of the run, counted from 0, ends. */
void oracle_outcome(const Oracle *oracle, uint32_t n, const SpecHook *hook, OracleOutcome *ret);
/** \brief What is asked for after \p n calls have ended. */
OracleStop oracle_stop(const Oracle *oracle, uint32_t n);
/** \brief What an operator says when he is asked for the \p n -th time. */
OracleVerb oracle_verb(const Oracle *oracle, uint32_t n);
