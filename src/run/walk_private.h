/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the walk's files share: walk.c goes forward, walk_back.c goes back, walk_parked.c parks it and obeys operators,
 * walk_stop.c stops it, walk_check.c makes the checks of arguments and outputs on both ways, walk_time.c counts,
 * walk_result.c tells how it stands and how it ended. A walk stands at one operation; what comes before a call (checks, defaults) is done by walk_seek(), so that
 * every boundary is one in front of a call. */
#pragma once

#include "run/walk.h"

/** \brief An error in the making: what WalkError shows, owned. */
typedef struct Fault {
	ErrorCode code;
	char *reason;
	char *message;
	char *path;
	uint32_t step;
	const SpecHook *hook;
	const SpecProgram *program;
} Fault;

typedef enum WalkStage {
	STAGE_SEEK, /* the operation was not looked at yet */
	STAGE_WAIT, /* it is a call, and a backoff lies before its next attempt */
	STAGE_CALL, /* it is a call, and its next attempt may be made */
} WalkStage;

typedef struct WalkState {
	bool done;     /* completed */
	bool doubt;    /* its last attempt left it in doubt */
	bool reversed; /* all its rectifiers have run */
	bool skipped;  /* an operator left it as it is, … */
	bool by_hand;  /* … or has undone it otherwise */
	bool untold;   /* ahead of where the records end that are damaged: it may have been called, or done */
	size_t mark;   /* the pool as the step left it; in doubt, as it found it */
} WalkState;

/** \brief A running timeout of a program, or of a hook that stands for one. */
typedef struct WalkTimer {
	const SpecProgram *program;
	uint64_t timeout_usec;
	uint64_t deadline_usec; /* 0: begins with the next walk_next() */
} WalkTimer;

struct Walk {
	const Plan *plan;
	Pool *pool;
	uint64_t begun_usec;
	WalkStatus status;
	WalkStage stage;
	bool back;          /* on the way back, or parked before it */
	bool settled;       /* an operator has skipped or confirmed something */
	bool barred;        /* more may have been called than is known: never forwards again */
	bool in_hand;       /* walk_next() has named a call, and its end was not reported yet */
	bool doubt;         /* an attempt of the call was unknown */
	uint32_t op;        /* where it stands */
	uint32_t attempt;   /* of the call it stands at: the next one */
	uint32_t spent;     /* attempts of that call that a budget before this one has had */
	uint32_t reversing; /* the step that is being reversed */
	size_t start;       /* the pool with which the run began */
	WalkTimer *timers;  /* of what it is in, outermost first */
	size_t n_timers, timers_capacity;
	Fault error;
	Fault parked;
	Fault stop; /* asked for while a call was in hand */
	WalkState states[];
};

void fault_free_texts(Fault *fault);
static inline void fault_done(Fault *fault)
{
	if (fault->reason || fault->message || fault->path)
		fault_free_texts(fault);
	*fault = (Fault){};
}
#define _cleanup_fault_ _cleanup_(fault_done)
/** \brief Fills \p fault from how an attempt of \p op ended. */
int fault_from_outcome(Fault *fault, const Walk *walk, const PlanOp *op, const Outcome *outcome);

/** \brief Does what comes at \p op before anything can be called: a program's defaults are added, arguments or outputs
 * are checked. -EBADMSG with \p fault where a check does not pass. */
int walk_check(Walk *walk, const PlanOp *op, Fault *fault);
/** \brief Goes on to the next call or to the end. Does nothing where it stands there already. */
int walk_seek(Walk *walk);
/** \brief The call's attempts have come to their end without an ok: the step is in doubt if one of them was. */
void walk_leave_call(Walk *walk, uint32_t step);
/** \brief The run has failed; \p fault is taken. */
void walk_fail(Walk *walk, Fault *fault);
/** \brief Puts an ok attempt's writes into the pool. */
int walk_apply(Walk *walk, const Outcome *outcome);
/** \brief Stands at a call that is about to be made for the first time. */
void walk_ready(Walk *walk);

/** \brief The run has failed, or an operator lets it go on failing: parks before an irreversible step, else begins with
 * the newest step that is to be reversed. */
void walk_turn(Walk *walk);
/** \brief walk_seek(), one operation further on the way back. */
int walk_seek_back(Walk *walk);
/** \brief walk_ended() on the way back. */
int walk_ended_back(Walk *walk, const Outcome *outcome);

/** \brief Stands parked; \p fault says why, and is taken. */
void walk_stand_parked(Walk *walk, Fault *fault);
/** \brief Turns to the newest step below the one that was reversed last, or ends the run. */
void walk_reverse_next(Walk *walk);

/** \brief What was asked of walk_stop() while a call was in hand takes effect, unless the call's end has made it void.
 */
int walk_stop_then(Walk *walk);

/** \brief Whether another attempt of it may follow the one that the walk stands at. */
bool walk_has_attempts(const Walk *walk, const SpecHook *hook);
/** \brief The attempts that \p hook has in this direction. */
SpecRetry walk_budget(const Walk *walk, const SpecHook *hook);
/** \brief The wait before the next attempt: doubled each time, up to a cap. */
uint64_t walk_wait_usec(const Walk *walk, const SpecHook *hook);
/** \brief A timeout begins where \p op does, and ends with it. */
int walk_timer_push(Walk *walk, const PlanOp *op);
void walk_timer_pop(Walk *walk, const PlanOp *op);
/** \brief Timeouts that hold begin anew. */
void walk_timers_renew(Walk *walk);
/** \brief Timeouts that have begun since the last call count from now. */
void walk_timers_begin(Walk *walk, uint64_t now_usec);
/** \brief The earliest of the deadlines that hold for \p action. */
void walk_deadline(const Walk *walk, const PlanOp *op, uint64_t now_usec, WalkAction *action);
