/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that writes: all works that wait go into one transaction, in their order, and are told of when it is on
 * the disk. When there is nothing to write it empties the database's log, which erases what was to be erased, and looks
 * for damage. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/point.h"

void ledger_damaged(Ledger *ledger, const char *what)
{
	pthread_mutex_lock(&ledger->mutex);
	if (!ledger->problem &&
	    asprintf(&ledger->problem,
		     "%s is damaged: %s. Nothing more is written to it. Stop the daemon, keep a copy of the directory, "
		     "look at it with `ryusod --inspect`, then restore the ledger from a backup, or move it away to "
		     "begin with an empty one.",
		     ledger->path, what) < 0)
		ledger->problem = NULL;
	pthread_mutex_unlock(&ledger->mutex);
}

/* The group: what is written in one transaction. */
typedef struct Group {
	struct WorkTurns works, recent;
	size_t n;        /* of works */
	size_t n_recent; /* of recent runs */
} Group;

/* With the mutex held, as all that takes from the queues. */
static void group_take(Ledger *ledger, Group *group, size_t max_recent)
{
	Work *work;
	size_t bytes = 0;

	STAILQ_INIT(&group->works);
	STAILQ_INIT(&group->recent);
	group->n = group->n_recent = 0;
	while ((work = STAILQ_FIRST(&ledger->todo)) && group->n < LEDGER_GROUP_MAX &&
	       (group->n == 0 || bytes + work->size <= LEDGER_GROUP_BYTES)) {
		STAILQ_REMOVE_HEAD(&ledger->todo, turn);
		STAILQ_INSERT_TAIL(&group->works, work, turn);
		group->n++;
		bytes += work->size;
	}
	while ((work = STAILQ_FIRST(&ledger->recent)) && group->n_recent < max_recent) {
		STAILQ_REMOVE_HEAD(&ledger->recent, turn);
		STAILQ_INSERT_TAIL(&group->recent, work, turn);
		group->n_recent++;
		ledger->recent_bytes -= work->size;
	}
	ledger->n_recent -= group->n_recent;
}

static int group_write_all(Ledger *ledger, struct WorkTurns *works)
{
	Work *work;
	int r = 0;

	for (work = STAILQ_FIRST(works); work; work = STAILQ_NEXT(work, turn)) {
		r = work_write(&ledger->writer, work);
		if (r < 0)
			return r;
		if (work_erases(work) && ledger->erase_usec == 0)
			ledger->erase_usec = clock_monotonic();
	}
	return 0;
}

/* Recent runs alone are not worth a sync: the next one takes them along. */
static int group_begin(Ledger *ledger, const Group *group)
{
	int r = sql_run(&ledger->writer, group->n > 0 ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");

	return r < 0 ? r : sql_run(&ledger->writer, "BEGIN IMMEDIATE");
}

static int group_write(Ledger *ledger, Group *group)
{
	char what[256];
	int r;

	r = group_begin(ledger, group);
	if (r == 0)
		r = group_write_all(ledger, &group->works);
	if (r == 0)
		r = group_write_all(ledger, &group->recent);
	if (r == 0) {
		POINT("before-commit");
		r = sql_run(&ledger->writer, "COMMIT");
		POINT("after-commit");
	}
	ledger->untidy = true;
	if (r == 0)
		return 0;
	snprintf(what, sizeof(what), "%s", sql_message(&ledger->writer));
	if (!sqlite3_get_autocommit(ledger->writer.db))
		(void)sql_run(&ledger->writer, "ROLLBACK"); /* whatever it says: what is not committed is nowhere */
	if (r == -EUCLEAN)
		ledger_damaged(ledger, what);
	return r;
}

/* With the mutex held. */
static void works_count(Ledger *ledger, const struct WorkTurns *works)
{
	const Work *work;

	for (work = STAILQ_FIRST(works); work; work = STAILQ_NEXT(work, turn)) {
		if (work->left >= 0 && work->left < LEDGER_UNFINISHED)
			ledger->n_unfinished[work->left]--;
		if (work->entered >= 0 && work->entered < LEDGER_UNFINISHED)
			ledger->n_unfinished[work->entered]++;
	}
}

/* Hands the works back. With the mutex held. */
static void group_return(Ledger *ledger, Group *group, int r)
{
	Work *work;

	if (r < 0) {
		for (work = STAILQ_FIRST(&group->works); work; work = STAILQ_NEXT(work, turn))
			work->result = r;
		ledger->n_failed += group->n;
		ledger->n_dropped += group->n_recent;
	} else {
		ledger->n_written += group->n + group->n_recent;
		ledger->n_commits++;
		works_count(ledger, &group->works);
		works_count(ledger, &group->recent);
	}
	if (group->n + group->n_recent > 0 && STAILQ_EMPTY(&ledger->finished))
		(void)eventfd_write(ledger->fd, 1); /* fails only if it is readable already */
	STAILQ_CONCAT(&ledger->finished, &group->works);
	STAILQ_CONCAT(&ledger->finished, &group->recent);
}

/* Moves the log to the file. True: that is done. With the mutex not held. */
static bool ledger_checkpoint(Ledger *ledger, int mode)
{
	uint64_t now = clock_monotonic();
	int code;

	sqlite3_busy_timeout(ledger->writer.db, LEDGER_TIDY_BUSY_MSEC);
	POINT("before-checkpoint");
	code = sqlite3_wal_checkpoint_v2(ledger->writer.db, NULL, mode, NULL, NULL);
	POINT("after-checkpoint");
	sqlite3_busy_timeout(ledger->writer.db, LEDGER_WRITE_BUSY_MSEC);
	ledger->wal_pages = 0;
	if ((code & 0xff) == SQLITE_CORRUPT)
		ledger_damaged(ledger, sql_message(&ledger->writer));
	if (code != SQLITE_OK) { /* the log keeps what it has */
		ledger->tidy_again_usec = now + 5 * LEDGER_TIDY_USEC;
	} else if (mode == SQLITE_CHECKPOINT_TRUNCATE) {
		ledger->untidy = false;
		ledger->erase_usec = 0;
	}
	return code == SQLITE_OK;
}

/* Where the disk is full, the log may have been what filled it. */
static int ledger_write_out(Ledger *ledger, Group *group)
{
	int r = group_write(ledger, group);

	if (r == -ENOSPC && ledger_checkpoint(ledger, SQLITE_CHECKPOINT_TRUNCATE))
		r = group_write(ledger, group);
	return r;
}

/* Comes with the mutex held, and leaves without. */
static void ledger_write_group(Ledger *ledger, size_t max_recent)
{
	Group group;
	int r;

	group_take(ledger, &group, max_recent);
	r = ledger->problem ? -EUCLEAN : 0;
	pthread_mutex_unlock(&ledger->mutex);
	if (r == 0)
		r = ledger_write_out(ledger, &group);
	pthread_mutex_lock(&ledger->mutex);
	group_return(ledger, &group, r);
	pthread_mutex_unlock(&ledger->mutex);
	ledger->written_usec = clock_monotonic();
}

static void ledger_check_rest(Ledger *ledger)
{
	_cleanup_free_ char *what = NULL;
	int r = schema_check_rest(&ledger->writer, &what);

	if (r == -EUCLEAN)
		ledger_damaged(ledger, what);
	if (r == -EINTR)
		ledger->tidy_again_usec = clock_monotonic() + LEDGER_TIDY_USEC;
	else
		ledger->unchecked = false;
}

/* After a group: what cannot wait for a quiet time. */
static void ledger_tidy_busy(Ledger *ledger, uint64_t now)
{
	if (now < ledger->tidy_again_usec)
		return;
	if (ledger->erase_usec > 0 && now - ledger->erase_usec > LEDGER_ERASE_USEC)
		ledger_checkpoint(ledger, SQLITE_CHECKPOINT_TRUNCATE);
	else if (ledger->wal_pages > LEDGER_WAL_PAGES)
		ledger_checkpoint(ledger, SQLITE_CHECKPOINT_PASSIVE);
}

/* When the next thing is due while no works come; 0: nothing is. */
static uint64_t ledger_due(const Ledger *ledger)
{
	uint64_t quiet = ledger->written_usec + LEDGER_TIDY_USEC, due = 0;

	if (ledger->untidy || ledger->unchecked)
		due = MAX(quiet, ledger->tidy_again_usec);
	if (!STAILQ_EMPTY(&ledger->recent))
		due = due > 0 ? MIN(due, ledger->written_usec + LEDGER_RECENT_USEC)
			      : ledger->written_usec + LEDGER_RECENT_USEC;
	return due;
}

static void ledger_wait(Ledger *ledger, uint64_t due)
{
	struct timespec until = { .tv_sec = (time_t)(due / USEC_PER_SEC),
				  .tv_nsec = (long)(due % USEC_PER_SEC * 1000) };

	ledger->waiting = true;
	if (due > 0)
		pthread_cond_timedwait(&ledger->wake, &ledger->mutex, &until);
	else
		pthread_cond_wait(&ledger->wake, &ledger->mutex);
	ledger->waiting = false;
}

/* A quiet second has passed, with the mutex held. */
static void ledger_idle(Ledger *ledger)
{
	bool untidy = ledger->untidy;

	ledger->checking = !untidy;
	pthread_mutex_unlock(&ledger->mutex);
	if (untidy)
		ledger_checkpoint(ledger, SQLITE_CHECKPOINT_TRUNCATE);
	else
		ledger_check_rest(ledger);
	pthread_mutex_lock(&ledger->mutex);
	ledger->checking = false;
}

static void ledger_turn(Ledger *ledger)
{
	uint64_t now = clock_monotonic(), due = ledger_due(ledger);
	bool recent =
		!STAILQ_EMPTY(&ledger->recent) && (ledger->stop || now >= ledger->written_usec + LEDGER_RECENT_USEC);

	if (!STAILQ_EMPTY(&ledger->todo) || recent) {
		ledger_write_group(ledger, recent ? LEDGER_RECENT_MAX : LEDGER_GROUP_RECENT);
		ledger_tidy_busy(ledger, ledger->written_usec);
		pthread_mutex_lock(&ledger->mutex);
	} else if (due > 0 && now >= due) {
		ledger_idle(ledger);
	} else if (!ledger->stop) {
		ledger_wait(ledger, due);
	}
}

static bool ledger_goes_on(const Ledger *ledger)
{
	return !ledger->stop || !STAILQ_EMPTY(&ledger->todo) || !STAILQ_EMPTY(&ledger->recent);
}

void *ledger_thread(void *userdata)
{
	Ledger *ledger = userdata;

	ledger->written_usec = clock_monotonic();
	pthread_mutex_lock(&ledger->mutex);
	while (ledger_goes_on(ledger))
		ledger_turn(ledger);
	pthread_mutex_unlock(&ledger->mutex);
	return NULL;
}
