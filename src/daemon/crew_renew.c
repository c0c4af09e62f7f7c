/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new recorder takes along what is still needed of the one in use: runs that have ended and are not stored yet, and
 * the run in hand. Nobody writes meanwhile: the worker waits for it, or has nothing to do. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/crew_private.h"

static int crew_keep(Crew *crew)
{
	const Run *run = crew->current;
	RecorderKept *kept;
	int r;

	free(take_ptr(crew->kept));
	crew->n_kept = 0;
	if (crew->forsaken)
		return 0;
	r = outcomes_keep(crew->setup.outcomes, &crew->kept, &crew->n_kept);
	if (r < 0 || !run)
		return r;
	kept = reallocarray(crew->kept, crew->n_kept + 1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	kept[crew->n_kept++] = (RecorderKept){
		.offset = run->offset,
		.size = crew->recorder.position - run->offset,
	};
	crew->kept = kept;
	return 0;
}

static void crew_renew_failed(Crew *crew, int r)
{
	crew->renew_at_usec = clock_monotonic() + USEC_PER_SEC;
	if (crew->store_problem)
		return;
	crew->store_problem =
		crew_sentence("cannot make a new recorder in %s: %s", crew->recorder.directory, strerror(-r));
	log_line(LOG_CRIT, "%s; nothing begins until it can be made, trying again every second",
		 crew->store_problem ? crew->store_problem : "out of memory");
}

void crew_renew(Crew *crew, size_t wanted)
{
	int r;

	if (crew->recorder.renewing || clock_monotonic() < crew->renew_at_usec)
		return;
	r = crew_keep(crew);
	if (r >= 0)
		r = recorder_renew(&crew->recorder, crew->kept, crew->n_kept, wanted);
	if (r < 0)
		crew_renew_failed(crew, r);
}

/* It holds the old one, and would only find out when it is needed. */
static void crew_tell_spare(Crew *crew)
{
	if (!crew->spare)
		return;
	if (crew->spare->state != HAND_READY || hand_order_recorder(crew->spare, crew->recorder.fd) < 0)
		hand_kill(crew->spare);
	else
		hand_flush(crew->spare);
}

static void crew_tell_active(Crew *crew)
{
	if (!crew->active)
		return;
	if (hand_order_recorder(crew->active, crew->recorder.fd) < 0)
		hand_kill(crew->active);
	else
		hand_flush(crew->active);
}

void crew_on_renewed(int r, void *context)
{
	Crew *crew = context;
	Run *run = crew->current;

	if (r == -EBADMSG && !crew->forsaken) {
		log_line(LOG_CRIT,
			 "the recorder in %s is damaged: outcomes that the ledger does not have yet are in memory "
			 "alone",
			 crew->recorder.directory);
		crew->forsaken = true;
		if (crew->current)
			crew_damage(crew, "records of the run in hand do not hold any more");
		return;
	}
	if (r < 0) {
		crew_renew_failed(crew, r);
		return;
	}
	if (crew->store_problem)
		log_notice("a new recorder could be made: runs begin again");
	free(take_ptr(crew->store_problem));
	crew->renew_at_usec = 0;
	crew->renew_wanted = false;
	crew->spoilt = false;
	crew->recycle_wanted = true;
	if (TAKE(crew->forsaken, false))
		outcomes_forsake(crew->setup.outcomes);
	else
		outcomes_moved(crew->setup.outcomes, crew->kept);
	if (run) {
		if (crew->resumed_at != 0)
			crew->resumed_at = crew->recorder.position;
		run->offset = crew->kept[crew->n_kept - 1].ret_offset;
	}
	free(take_ptr(crew->kept));
	crew->n_kept = 0;
	atomic_store(&recorder_page(&crew->recorder)->hold, crew->stopping || crew->tired);
	atomic_store(&recorder_page(&crew->recorder)->pause, crew->pausing);
	crew_cancels_again(crew);
	crew_tell_active(crew);
	crew_tell_spare(crew);
}

void crew_on_synced(int r, void *context)
{
	Crew *crew = context;

	if (r >= 0)
		return;
	if (!crew->renew_wanted)
		log_line(LOG_CRIT,
			 "the recorder in %s could not be synced: %s; what waited for that is not answered, a new "
			 "recorder is made",
			 crew->recorder.directory, strerror(-r));
	outcomes_distrust(crew->setup.outcomes);
	crew->renew_wanted = true;
	atomic_store(&recorder_page(&crew->recorder)->renew, 1);
}
