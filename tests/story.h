/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run as text, a line for each thing that happens: what the walk's driver and the naive model both write, so that
 * two runs are the same if their stories are. */
#pragma once

#include "run/walk.h"

#define STORY_POOL_MAX 16

typedef struct StoryEntry {
	const char *name;
	const Value *value;
} StoryEntry;

typedef struct StoryPool {
	StoryEntry entries[STORY_POOL_MAX];
	size_t n;
} StoryPool;

/** \brief A call that is made, or a wait before one. */
typedef struct StoryCall {
	const char *hook;
	uint32_t step, attempt;
	bool rectifying, in_doubt;
	uint64_t deadline_usec;
	const SpecProgram *deadline_program;
	uint64_t wait_usec; /* of a wait */
} StoryCall;

/** \brief The run has ended, or is parked. */
typedef struct StoryEnd {
	WalkStatus status;
	WalkError error, parked;
	const WalkStep *rectified, *remaining;
	size_t n_rectified, n_remaining;
	StoryPool outputs;
	StoryPool pool;
} StoryEnd;

void story_call(Buffer *story, const StoryCall *call, const StoryPool *pool);
/** \brief How the call ended, after rule 7. */
void story_outcome(Buffer *story, OutcomeKind kind, ErrorCode error);
void story_wait(Buffer *story, const StoryCall *call);
void story_end(Buffer *story, const StoryEnd *end);
/** \brief What an operator says, and whether it was done. */
void story_verb(Buffer *story, unsigned verb, bool done);
