/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many runs are ordered ahead. A worker wants enough for the time until it is given more; who comes meanwhile, and
 * whose turn is next, waits for all of them. So it is as many as are done in a given time, judged by those that ended
 * lately; and where that was misjudged, those that have not begun are taken back. */
#include "daemon/crew_private.h"

#define AHEAD_USEC 10000U
#define AHEAD_SHARED_USEC 500U /* while several users have runs */
#define SHARED_TICKS 200U      /* for so long after that it is taken for likely that they will have more */
#define PATIENCE_USEC 50000U   /* of a user who waits while others' runs are ordered */
#define PACE_WEIGHT 8U         /* of what was before, against one run */
#define QUICK_USEC 15U         /* of a run: the doorbell rings within half a millisecond */
#define PACE_FIRST_USEC 1000U  /* as long as nothing is known */

void crew_pace(Crew *crew, uint64_t usec)
{
	if (crew->pace_usec == 0)
		crew->pace_usec = PACE_WEIGHT * PACE_FIRST_USEC;
	crew->pace_usec += MIN(usec, PACE_WEIGHT * AHEAD_USEC) - crew->pace_usec / PACE_WEIGHT;
}

static bool is_shared(const Crew *crew)
{
	const Run *waits = turns_first(&crew->setup.queue->turns);
	const Run *last = TAILQ_LAST(&crew->ordered, RunList);

	return waits && (turns_next(waits) || (last && last->peer.uid != waits->peer.uid));
}

size_t crew_depth(Crew *crew)
{
	size_t pace = crew->pace_usec > 0 ? crew->pace_usec : PACE_WEIGHT * PACE_FIRST_USEC;
	size_t usec;

	if (is_shared(crew))
		crew->shared_ticks = SHARED_TICKS;
	usec = crew->shared_ticks > 0 ? AHEAD_SHARED_USEC : AHEAD_USEC;
	return MIN(ORDER_BATCH_MAX, 1 + PACE_WEIGHT * usec / pace);
}

bool crew_is_quick(const Crew *crew)
{
	const Run *run = TAILQ_FIRST(&crew->ordered);

	return run && run->process && crew->pace_usec > 0 && crew->pace_usec <= PACE_WEIGHT * QUICK_USEC;
}

static size_t count_ordered(const Crew *crew, const Run *end, uid_t uid)
{
	size_t n = 0;

	for (const Run *run = TAILQ_FIRST(&crew->ordered); run && run != end; run = TAILQ_NEXT(run, entry))
		if (run->peer.uid == uid && run != crew->current)
			n++;
	return n;
}

/* Whether a user's first run stands behind more than one of another's. */
static bool is_behind_others(const Crew *crew)
{
	size_t most = 0;
	const Run *run;

	TAILQ_FOREACH(run, &crew->ordered, entry)
	{
		size_t n = count_ordered(crew, run, run->peer.uid);

		if (n == 0 && most > 1)
			return true;
		if (run != crew->current)
			most = MAX(most, n + 1);
	}
	return false;
}

/* Those who have runs with the worker wait for their next turn. There are few of them: the search is short. */
static bool is_left_out(const Crew *crew)
{
	const Run *run = turns_first(&crew->setup.queue->turns);

	while (run && count_ordered(crew, NULL, run->peer.uid) > 0)
		run = turns_next(run);
	return run;
}

static bool someone_is_kept_waiting(const Crew *crew)
{
	return crew->active && !crew->tired && !crew->held && crew->n_ordered > 1 &&
	       (is_behind_others(crew) || is_left_out(crew));
}

void crew_check_turns(Crew *crew, uint64_t now_usec)
{
	if (crew->shared_ticks > 0)
		crew->shared_ticks--;
	if (crew->shared_ticks == 0 || !someone_is_kept_waiting(crew)) {
		crew->kept_since_usec = 0;
		return;
	}
	if (crew->kept_since_usec == 0)
		crew->kept_since_usec = now_usec;
	else if (now_usec - crew->kept_since_usec >= PATIENCE_USEC)
		crew_tire(crew);
}
