/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "run/recover.h"
#include "run/walk_private.h"

/* Nothing that has been called can be unrecorded from here on: an attempt in hand may be made again, or the next call be
 * made as if it were the first time. */
static bool is_certain(const Recovered *recovered, const RecoverVerdict *verdict)
{
	return recovered->same_boot && verdict->interruptions <= RECOVER_INTERRUPTIONS_MAX;
}

/* Whether the attempt in hand, ended unknown, is followed by another one (rule 9). */
static bool is_repeated(const Replay *replay)
{
	const SpecHook *hook = replay->plan->ops[replay->action.op].hook;

	return hook->idempotent && walk_has_attempts(replay->walk, hook);
}

/* Where no step is in doubt and the run goes forwards: its next call may have been made already, unless its BEGIN would
 * have been synced first. */
static bool may_go_on(const Recovered *recovered, const Replay *replay, const RecoverVerdict *verdict)
{
	const Walk *walk = replay->walk;
	WalkAction next;

	if (walk_seek(replay->walk) < 0)
		return false;
	if (walk->status != WALK_RUNNING || walk->back)
		return true;
	next = (WalkAction){ .op = walk->op, .step = replay->plan->ops[walk->op].step };
	if (verdict->interruptions > RECOVER_INTERRUPTIONS_MAX)
		return false;
	return recovered->same_boot || record_begin_synced(replay->plan, &next);
}

static void say(RecoverVerdict *verdict, RecoverAct act, ErrorCode code, const char *message)
{
	verdict->act = act;
	verdict->code = code;
	snprintf(verdict->message, sizeof(verdict->message), "%s", message);
}

/* What keeps a run from being taken up at all. */
static bool decide_park(const Recovered *recovered, const RecoverRun *run, const Replay *replay,
			RecoverVerdict *verdict)
{
	if (run->parked) {
		say(verdict, RECOVER_PARK, run->park.code, "");
		snprintf(verdict->message, sizeof(verdict->message), "%.*s", (int)run->park.message_size,
			 run->park.message);
	} else if (run->broken) {
		say(verdict, RECOVER_PARK, ERROR_DAMAGED,
		    "the recorder is damaged: records of this run are missing, or do not fit together");
	} else if ((run->start.flags & RECORD_FLAG_PROCESS) && !recovered->same_boot) {
		say(verdict, RECOVER_PARK, ERROR_DAMAGED,
		    "its durability is \"process\", and the system was restarted: what it did last may not have been "
		    "recorded");
	} else if (recovered->moved) {
		say(verdict, RECOVER_PARK, ERROR_STORE_MOVED,
		    "the store is not where it was made: it may be a copy, or a backup that was restored");
	} else if (!replay) {
		say(verdict, RECOVER_PARK, ERROR_MODULE_CHANGED, "the module that it began with is not to be had");
	} else {
		return false;
	}
	return true;
}

static void decide(const Recovered *recovered, const Replay *replay, RecoverVerdict *verdict)
{
	if (replay->begun && !replay->action.rectifying && is_repeated(replay) && !is_certain(recovered, verdict))
		say(verdict, RECOVER_RECTIFY, ERROR_INTERRUPTED,
		    "it was interrupted while a hook ran: it is rectified");
	else if (replay->begun)
		say(verdict, RECOVER_CARRY_ON, ERROR_NONE, "it was interrupted while a hook ran");
	else if (may_go_on(recovered, replay, verdict))
		say(verdict, RECOVER_CARRY_ON, ERROR_NONE, "it was interrupted between two steps");
	else if (verdict->interruptions > RECOVER_INTERRUPTIONS_MAX)
		say(verdict, RECOVER_RECTIFY, ERROR_INTERRUPTED, "it has been interrupted too often: it is rectified");
	else
		say(verdict, RECOVER_RECTIFY, ERROR_INTERRUPTED,
		    "the system was restarted, and its next step may have been run: it is rectified");
}

/* Said once for all: it may be parked now, and be taken up when nobody can tell any more. */
static bool is_barred(const Recovered *recovered, const Replay *replay, const RecoverVerdict *verdict)
{
	/* What is damaged is not carried on anyway (walk_park()), and not called rectified either. */
	if (verdict->act == RECOVER_PARK && verdict->code == ERROR_DAMAGED)
		return false;
	if (!replay)
		return !is_certain(recovered, verdict);
	if (replay->begun)
		return !replay->action.rectifying && !is_certain(recovered, verdict);
	return !may_go_on(recovered, replay, verdict);
}

void recover_decide(const Recovered *recovered, const RecoverRun *run, const Replay *replay, RecoverVerdict *ret)
{
	RecoverVerdict verdict = { .interruptions = run->interruptions + 1 };

	if (!decide_park(recovered, run, replay, &verdict))
		decide(recovered, replay, &verdict);
	verdict.barred = is_barred(recovered, replay, &verdict);
	*ret = verdict;
}
