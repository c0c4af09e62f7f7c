/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan: one program, expanded to a flat list of operations. The way forward is ops[0 .. n_forward), in order; behind
 * it lie the rectifiers of every step, each expanded the same way. Names are resolved: every argument and output is the
 * index of a key. Immutable; borrows from the Spec, which must outlive it. See rules 1 to 3, 6, 13, 20 and 21. */
#pragma once

#include "spec/spec.h"

#define PLAN_CALLS_MAX 4096U
#define PLAN_OPS_MAX (4U * PLAN_CALLS_MAX)
#define PLAN_DEPTH_MAX 256U  /* of hooks and programs within each other */
#define PLAN_KEYS_MAX 32768U /* different keys; half of what a run's pool takes */

typedef enum PlanKind {
	PLAN_ENTER, /* a program begins, or a hook that stands for one: its arguments are checked, its defaults added */
	PLAN_CALL,  /* a function is called: its arguments are checked first */
	PLAN_LEAVE, /* a program ends: its outputs are checked */
	PLAN_STAND, /* a hook that stands for a program is done: its own outputs are checked */
} PlanKind;

typedef struct PlanArg {
	const SpecArg *arg;
	uint32_t key; /* index into Plan.keys: the name after all binds */
} PlanArg;

/** \brief The binds that hold at some place, innermost first. */
typedef struct PlanScope {
	const SpecHook *hook;
	const struct PlanScope *outer; /* or NULL */
} PlanScope;

typedef struct PlanOp {
	PlanKind kind;
	uint32_t step; /* forward: the step that a CALL or STAND completes, else 0. In rectifiers: the step reversed */
	const SpecHook *hook; /* NULL where a program named directly, or the one a hook stands for, enters or leaves */
	const SpecProgram *program; /* NULL for hooks' ops */
	const PlanScope *scope;     /* or NULL */
	PlanArg *args;              /* ENTER, CALL */
	size_t n_args;
	PlanArg *outputs; /* CALL (declared outputs of the hook), LEAVE, STAND */
	size_t n_outputs;
} PlanOp;

typedef struct PlanStep {
	uint32_t op;           /* the CALL or STAND that completes it */
	uint32_t rectifiers;   /* index of the first op of its rectifiers */
	uint32_t n_rectifiers; /* ops; 0: it has no rectifiers */
	bool irreversible;
} PlanStep;

typedef struct Plan {
	const Spec *spec;
	const SpecProgram *program;
	PlanOp *ops; /* ops[0] is the ENTER of the program, ops[n_forward - 1] its LEAVE */
	uint32_t n_ops;
	uint32_t n_forward;
	PlanStep *steps; /* steps[n - 1] is step n */
	uint32_t n_steps;
	uint32_t n_calls; /* PLAN_CALLs, rectifiers' included */
	const char **keys;
	uint32_t n_keys;
	PlanScope **scopes; /* owned; private */
	size_t n_scopes;
	Names names;   /* private: keys are its items */
	bool *secrets; /* private: by key */
} Plan;

Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free)
#define _cleanup_plan_ _cleanup_(plan_freep)

/** \brief Where a plan cannot be made: the path of names, "programs.a → hooks.b → programs.a", and why. */
typedef struct PlanError {
	char *trail; /* owned */
	bool cycle;  /* else: over one of the caps above */
} PlanError;

void plan_error_done(PlanError *error);

/** \brief -ELOOP or -E2BIG with \p error, -ENOMEM. */
int plan_compile(const Spec *spec, const SpecProgram *program, Plan **ret, PlanError *error);

/** \brief The key that \p name means for the hook of \p op, by the rules of `bind`. Borrowed from spec or from \p name.
 */
const char *plan_resolve(const PlanOp *op, const char *name);
/** \brief The same through the binds of \p hook alone. */
const char *plan_bind(const SpecHook *hook, const char *name);
/** \brief The index of \p key in Plan.keys, or UINT32_MAX. */
uint32_t plan_key(const Plan *plan, const char *key);
/** \brief Whether what is under \p key is an argument or output somewhere in the plan that the spec calls secret. */
bool plan_key_secret(const Plan *plan, const char *key);
/** \brief A fingerprint of everything that a walk of the plan depends on: the same in every process that compiles the
 * same spec. -ENOMEM. */
int plan_fingerprint(const Plan *plan, uint8_t ret[static 16]);
