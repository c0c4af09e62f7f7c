/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recent runs: nothing was promised of them, so they are written when there is time, and until then found here. */
#include "daemon/ledger_private.h"

#include <errno.h>

static void recents_add(Ledger *ledger, Work *work)
{
	TAILQ_INSERT_TAIL(&ledger->recents, work, entry);
	TAILQ_INSERT_TAIL(works_of_run(ledger, &work->run.run), work, run_entry);
}

void recents_remove(Ledger *ledger, Work *work)
{
	TAILQ_REMOVE(&ledger->recents, work, entry);
	TAILQ_REMOVE(works_of_run(ledger, &work->run.run), work, run_entry);
}

bool recents_have(const Ledger *ledger, const Id *run)
{
	const Work *work;

	TAILQ_FOREACH(work, works_of_run(ledger, run), run_entry)
	if (work->recent && id_equal(&work->run.run, run))
		return true;
	return false;
}

/* The oldest are dropped for a new one of \p size bytes. */
static void make_room(Ledger *ledger, size_t size, struct WorkTurns *spilt)
{
	Work *work;

	while ((work = STAILQ_FIRST(&ledger->recent)) &&
	       (ledger->n_recent >= LEDGER_RECENT_MAX || ledger->recent_bytes + size > LEDGER_RECENT_BYTES)) {
		STAILQ_REMOVE_HEAD(&ledger->recent, turn);
		STAILQ_INSERT_TAIL(spilt, work, turn);
		ledger->n_recent--;
		ledger->recent_bytes -= work->size;
		ledger->n_dropped++;
	}
}

int ledger_remember(Ledger *ledger, const LedgerRun *run)
{
	LedgerRun copy = run_past(run, run->state);
	struct WorkTurns spilt = STAILQ_HEAD_INITIALIZER(spilt);
	Work *work;
	int r;

	if (ledger->closing)
		return -ESHUTDOWN;
	if (!run_has_end(run) || !run->program || id_is_null(&run->run))
		return -EINVAL;
	copy.records = NULL;
	copy.request_id = NULL;
	copy.records_size = 0;
	copy.promised = false;
	r = work_renew_run(WORK_FINISH, &copy, &ledger->spilt);
	if (r < 0)
		return r;
	work = take_ptr(ledger->spilt);
	work->recent = true;
	pthread_mutex_lock(&ledger->mutex);
	make_room(ledger, work->size, &spilt);
	STAILQ_INSERT_TAIL(&ledger->recent, work, turn);
	ledger->recent_bytes += work->size;
	if (ledger->n_recent++ == 0)
		ledger_wake(ledger);
	pthread_mutex_unlock(&ledger->mutex);
	recents_add(ledger, work);
	while ((work = STAILQ_FIRST(&spilt))) {
		STAILQ_REMOVE_HEAD(&spilt, turn);
		recents_remove(ledger, work);
		free(ledger->spilt);
		ledger->spilt = work;
	}
	return 0;
}
