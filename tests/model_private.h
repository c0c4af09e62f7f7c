/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the naive model's files share: model.c has the pool, the checks and the end, model_forward.c the way forward,
 * model_back.c the way back and the operator. Names and values are borrowed from spec and oracle. */
#pragma once

#include "tests/model.h"

#define MODEL_START_USEC 1000000000ULL
#define MODEL_STEPS_MAX 512
#define MODEL_DEPTH_MAX 64

typedef struct Scope {
	const SpecHook *hook;
	const struct Scope *outer;
	struct Scope *older; /* all scopes of the model, to be freed */
} Scope;

typedef struct Done {
	uint32_t step;
	const SpecHook *hook;
	const Scope *scope;
	StoryPool pool; /* as the step left it; in doubt, as it found it */
	bool in_doubt, reversed, skipped;
} Done;

typedef struct ModelTimer {
	const SpecProgram *program;
	uint64_t timeout_usec, deadline_usec;
} ModelTimer;

typedef struct Model {
	const Oracle *oracle;
	const SpecProgram *program;
	Buffer *story;
	uint64_t now_usec;
	uint32_t n_ended;       /* calls that have ended */
	uint32_t n_verbs;       /* times that the operator was asked */
	uint32_t stop_answered; /* a stop asked for after so many calls (less one) has had its effect, or none */
	uint32_t n_steps;       /* passed so far */
	StoryPool pool;         /* of the way forward */
	StoryPool begun;        /* with which the run began */
	StoryPool written;      /* by rectifiers */
	Done done[MODEL_STEPS_MAX];
	size_t n_done;
	ModelTimer timers[MODEL_DEPTH_MAX];
	size_t n_timers;
	bool failed, settled;
	WalkError error;
	char path[SPEC_NAME_MAX + 2];
	char error_path[SPEC_NAME_MAX + 2];
	Scope *scopes;
} Model;

/** \brief What becomes of a run that failed. */
typedef enum Answer {
	ANSWER_OVER,
	ANSWER_AGAIN,   /* the operator lets it go on: what failed is tried again */
	ANSWER_AS_DONE, /* the same, and the step in doubt counts as done */
} Answer;

const char *model_resolve(const Scope *scope, const char *name);
const Scope *model_scope(Model *model, const SpecHook *hook, const Scope *outer);
const Value *dict_get(const StoryPool *dict, const char *name);
void dict_set(StoryPool *dict, const char *name, const Value *value);
StoryPool dict_over(StoryPool under, const StoryPool *over);
void model_defaults(const SpecArgs *args, const Scope *scope, const StoryPool *seen, StoryPool *to);
bool model_check(Model *model, const SpecArgs *args, bool outputs, const Scope *scope, const StoryPool *pool,
		 WalkError *error);
void model_call(Model *model, StoryCall *call, const SpecHook *hook, const StoryPool *pool, OracleOutcome *ret);
void model_wait(Model *model, StoryCall *call, const SpecHook *hook, SpecRetry retry);
void model_deadline(const Model *model, StoryCall *call);
void model_report(Model *model, WalkStatus status, const WalkError *parked, const StoryPool *pool);

/** \brief Whether it was passed; else the run is over, and its end told. */
bool model_forward_program(Model *model, const SpecProgram *program, const Scope *scope);
/** \brief The run fails; \p doubtful is the step in doubt, or NULL. */
Answer model_fail(Model *model, WalkError error, const Done *doubtful);
