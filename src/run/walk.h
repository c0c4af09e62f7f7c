/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state machine of a run: outcome in, next action out (rules 7 to 25, 45, 46). It owns nothing but its own state
 * and the pool; it does no I/O and reads no clock. It is deterministic: the same outcomes in the same order lead
 * through the same actions, which is how a fresh worker, or a restart, takes a run up again: by feeding it what was
 * recorded. */
#pragma once

#include "base/error.h"
#include "run/pool.h"
#include "spec/plan.h"

typedef struct Walk Walk;

typedef enum WalkStatus {
	WALK_RUNNING,
	WALK_SUCCEEDED,
	WALK_RECTIFIED,
	WALK_PARKED,
	WALK_SETTLED,
	WALK_STATUS_MAX,
} WalkStatus;

/** \brief "running", "succeeded", "rectified", "parked", "settled". */
const char *walk_status_name(WalkStatus status);

typedef enum WalkKind {
	WALK_CALL, /* call the function of `op`, then walk_ended() */
	WALK_WAIT, /* wait for a random time of at most `wait_usec` (full jitter), then walk_next() again */
	WALK_END,  /* the run has ended, or stands: see walk_status() */
} WalkKind;

typedef struct WalkAction {
	WalkKind kind;
	uint32_t op;      /* index into Plan.ops; also the number of this call within the run (ryuso_token) */
	uint32_t step;    /* the step that is run or reversed */
	uint32_t attempt; /* from 1 */
	bool rectifying;
	bool in_doubt; /* of the step that is reversed */
	uint64_t wait_usec;
	uint64_t deadline_usec; /* monotonic; 0: none. The earliest of the hook's timeout and those of the programs it
				   is in */
	const SpecProgram *deadline_program; /* whose timeout that is; NULL: the hook's. Never set while rectifying */
} WalkAction;

typedef enum OutcomeKind {
	OUTCOME_OK,
	OUTCOME_FAILED,
	OUTCOME_UNKNOWN,
	OUTCOME_KIND_MAX,
} OutcomeKind;

/** \brief "ok", "failed", "unknown". */
const char *outcome_name(OutcomeKind kind);

/** \brief How an attempt ended. Everything is borrowed by who is handed it. */
typedef struct Outcome {
	OutcomeKind kind;
	ErrorCode error; /* HOOK_FAILED, HOOK_UNKNOWN, HOOK_TIMEOUT, PROGRAM_TIMEOUT, CANCELLED, INTERRUPTED; NONE for
			    ok */
	const char *reason;      /* the author's word, or NULL */
	const char *message;     /* for people, or NULL */
	const char *program;     /* PROGRAM_TIMEOUT: whose */
	const PoolWrite *writes; /* what it set; counts only for ok */
	size_t n_writes;
} Outcome;

/** \brief Begins a run: \p arguments (and metadata under `_key`; by the plan's keys) are the initial pool, copied.
 * \p now_usec: monotonic. */
int walk_new(const Plan *plan, const PoolWrite *arguments, size_t n_arguments, uint64_t now_usec, Walk **ret);
/** \brief The same, from what arguments_encode() wrote: this way keys that the plan does not know may be among them.
 * -EBADMSG where it does not hold. */
int walk_start(const Plan *plan, Reader *arguments, uint64_t now_usec, Walk **ret);
Walk *walk_free(Walk *walk);
DEFINE_CLEANUP(Walk *, walk_free)
#define _cleanup_walk_ _cleanup_(walk_freep)

/** \brief The pool, as the call in hand sees it. Borrowed; the walk's own until the end. Names may be interned in it.
 */
Pool *walk_pool(Walk *walk);
/** \brief What is to be done now. Repeats itself until the answer to a CALL has come in. \p now_usec: monotonic, for
 * deadlines. */
int walk_next(Walk *walk, uint64_t now_usec, WalkAction *ret);
/** \brief Applies rule 7 to an outcome that the function claims: OK without every required output, or an output of
 * another type, becomes UNKNOWN with a message in \p message. To be called before the outcome is recorded. */
void walk_judge(const Walk *walk, Outcome *outcome, char *message, size_t message_size);
/** \brief Reports how the CALL in hand ended. The outcome is judged already (or was recorded as such). */
int walk_ended(Walk *walk, const Outcome *outcome);
/** \brief Asks the run to stop where it stands: CANCELLED, PROGRAM_TIMEOUT (of \p program) or INTERRUPTED. Takes effect
 * at the boundary, between calls; instead of the wait, where one is in hand. A call that walk_next() has named and
 * whose function was called is waited for: the stop takes effect after walk_ended(), or is void if the run has then
 * turned back or ended, or a cancel has come too late. If walk_next() is asked again instead, that call is not made.
 * -EALREADY, nothing changed, on the way back; -EPERM for a cancel once an irreversible step is done or nothing is left
 * to run (rule 18). */
int walk_stop(Walk *walk, ErrorCode cause, const char *program, const char *message);

/** \brief More may have been called than is known: the run never goes on forwards from here. It is stopped as by
 * INTERRUPTED, an attempt in hand being waited for; on the way back nothing changes. walk_confirm() is -EPERM then. */
int walk_bar(Walk *walk, const char *message);

/** \brief Parks the run where it stands, whichever way it goes: MODULE_CHANGED, STORE_MOVED or DAMAGED. Between calls
 * only: one that walk_next() has named is not made. The step it then stands at (walk_parked()) is the one of the call
 * that would have come next. -EALREADY where none would: the run has ended or is parked, by itself or before.
 * walk_retry() goes on where it stood, with a fresh budget at that call; what is DAMAGED does not go forwards again, but
 * is rectified as far as it is known, and ends SETTLED: more may have been done, so the steps ahead of where it stood
 * are in doubt, and remain. walk_skip() of it is -EPERM on the way
 * forward: there is nothing to be skipped. */
int walk_park(Walk *walk, ErrorCode code, const char *message);

/** \brief The run was interrupted and is taken up: timeouts of programs that it is in begin anew (rule 38). */
int walk_taken(Walk *walk);

/** \brief Operator's verbs on a parked run (rules 17 and 43). \p step must be where it stands (else -ESTALE). -EBUSY:
 * it is not parked. To confirm is -EPERM where it is not parked as Irreversible, another step is in doubt, or it is
 * barred (walk_bar(); so is what was parked as Damaged): the run could not go on forwards. */
int walk_retry(Walk *walk, uint32_t step);
int walk_skip(Walk *walk, uint32_t step);
/** \brief Of a step that was skipped: the operator has undone it by hand, so nothing of it remains. */
void walk_undone_by_hand(Walk *walk, uint32_t step);
int walk_confirm(Walk *walk, uint32_t step);

WalkStatus walk_status(const Walk *walk);
/** \brief Whether the run is on its way back (or has been). */
bool walk_rectifying(const Walk *walk);

typedef enum WalkStand {
	WALK_STAND_AHEAD, /* not begun, and on no way to be */
	WALK_STAND_DONE,
	WALK_STAND_DOUBT,    /* may have taken effect; so may all that lay ahead where the records are damaged */
	WALK_STAND_REVERSED, /* its rectifiers have run */
	WALK_STAND_SKIPPED,  /* an operator left it as it is */
	WALK_STAND_FAILED,   /* ended `failed`: it left nothing behind */
	WALK_STAND_MAX,
} WalkStand;

/** \brief "ahead", "done", "in-doubt", "reversed", "skipped", "failed". */
const char *walk_stand_name(WalkStand stand);
/** \brief How \p step (from 1) stands. */
WalkStand walk_stand(const Walk *walk, uint32_t step);

/** \brief What made the run fail (rule 46), or, in `parked`, what stopped its reversal. Borrowed. */
typedef struct WalkError {
	ErrorCode code; /* NONE: it did not */
	const char *reason;
	const char *message;
	const char *path;    /* of arguments and outputs: "/amount"-like JSON pointer into the pool, or NULL */
	uint32_t step;       /* 0: none */
	const char *hook;    /* NULL where it was a program's check */
	const char *program; /* then its name; also the one whose time was up */
} WalkError;

void walk_error(const Walk *walk, WalkError *ret);
void walk_parked(const Walk *walk, WalkError *ret);

typedef struct WalkStep {
	uint32_t step;
	const char *hook;
	bool in_doubt;
} WalkStep;

/** \brief Rule 45, newest first; to be freed. */
int walk_rectified(const Walk *walk, WalkStep **ret, size_t *ret_n);
int walk_remaining(const Walk *walk, WalkStep **ret, size_t *ret_n);
/** \brief The declared outputs of the program that are in the pool at the end (rule 23); values borrowed from the walk.
 */
typedef struct WalkOutput {
	const SpecArg *arg;
	const Value *value;
} WalkOutput;
int walk_outputs(Walk *walk, WalkOutput **ret, size_t *ret_n);
