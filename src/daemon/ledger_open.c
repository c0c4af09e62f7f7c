/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing the ledger. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"

static void problem_say(char **ret_problem, const char *path, int r, const char *what)
{
	int made;

	if (r == -EUCLEAN)
		made = asprintf(
			ret_problem,
			"%s is damaged: %s. Nothing was changed. Keep a copy of the directory, look at it with "
			"`ryusod --inspect`, then restore the ledger from a backup, or move it away to begin with an "
			"empty one.",
			path, what);
	else if (r == -EPROTONOSUPPORT)
		made = asprintf(
			ret_problem,
			"%s was written by a newer ryusod: %s. Nothing was changed. Install that version again, or "
			"move the ledger away to begin with an empty one.",
			path, what);
	else
		made = asprintf(ret_problem, "%s cannot be used: %s (%s). It is tried again.", path, what,
				strerror(-r));
	if (made < 0)
		*ret_problem = NULL;
}

static int directory_sync(const char *directory)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Whole, then under its name: what is there under its name was whole once. */
static int ledger_make(const char *directory, const char *path, const Id *machine)
{
	static const char *const leftovers[] = { "", "-journal", "-wal", "-shm" };
	_cleanup_free_ char *fresh = NULL;
	int r;

	for (size_t i = ELEMENTSOF(leftovers); i-- > 0;) {
		free(fresh);
		if (asprintf(&fresh, "%s.new%s", path, leftovers[i]) < 0) {
			fresh = NULL;
			return -ENOMEM;
		}
		if (unlink(fresh) < 0 && errno != ENOENT)
			return -errno;
	}
	r = schema_make(fresh, machine, SCHEMA_VERSION);
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	return r < 0 ? r : directory_sync(directory);
}

static int ledger_open_writer(Ledger *ledger, char **ret_what)
{
	unsigned version;
	int r;

	r = sql_open(&ledger->writer, ledger->path, SQL_WRITE);
	if (r < 0)
		return r;
	sqlite3_busy_timeout(ledger->writer.db, LEDGER_WRITE_BUSY_MSEC);
	r = schema_identify(&ledger->writer, &version, ret_what);
	if (r == 0)
		r = schema_check(&ledger->writer, ret_what);
	if (r < 0)
		return r;
	ledger->unchecked = r > 0;
	r = sql_run(&ledger->writer, "PRAGMA synchronous = FULL");
	return r < 0 ? r : schema_migrate(&ledger->writer, version);
}

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
	Ledger *ledger = context;

	(void)db;
	(void)name;
	ledger->wal_pages = pages;
	return SQLITE_OK;
}

static int ledger_count(Ledger *ledger)
{
	_cleanup_statement_ Statement row = sql_prepare(
		&ledger->reader, "SELECT state, count(*) FROM runs WHERE state IN (0, 1, 2) GROUP BY state");
	int r;

	while ((r = statement_step(&row)) > 0) {
		int64_t state = column_int(&row);

		ledger->n_unfinished[state] = (uint64_t)column_int(&row);
	}
	return r;
}

static int ledger_look_around(Ledger *ledger, const Id *machine)
{
	SchemaPlace written;
	int r;

	sqlite3_wal_hook(ledger->writer.db, on_commit, ledger);
	r = schema_find_place(ledger->path, machine, &ledger->here);
	if (r == 0)
		r = schema_read_place(&ledger->writer, &written);
	if (r < 0)
		return r;
	ledger->place = schema_same_place(&written, &ledger->here) ? LEDGER_SAME : LEDGER_MOVED;
	ledger->here.moved_usec = ledger->place == LEDGER_MOVED ? clock_realtime() : written.moved_usec;
	r = sql_open(&ledger->reader, ledger->path, SQL_READ);
	if (r < 0)
		return r;
	sqlite3_busy_timeout(ledger->reader.db, LEDGER_READ_BUSY_MSEC);
	return ledger_count(ledger);
}

static int ledger_connect(Ledger *ledger, const char *directory, const Id *machine, char **ret_problem)
{
	_cleanup_free_ char *what = NULL;
	struct stat found;
	int r = 0;

	if (lstat(ledger->path, &found) < 0)
		r = errno == ENOENT ? ledger_make(directory, ledger->path, machine) : -errno;
	else if (found.st_mode & 077 && chmod(ledger->path, 0600) < 0)
		r = -errno;
	if (r == 0)
		r = ledger_open_writer(ledger, &what);
	if (r == 0)
		r = ledger_look_around(ledger, machine);
	if (r < 0)
		problem_say(ret_problem, ledger->path, r,
			    what                ? what
			    : ledger->writer.db ? sql_message(&ledger->writer)
						: "it cannot be opened");
	return r;
}

/* Signals are the main thread's. */
static int ledger_start(Ledger *ledger)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;
	int r;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&ledger->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&ledger->thread, NULL, ledger_thread, ledger);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	ledger->threaded = r == 0;
	return -r;
}

int ledger_open(const char *directory, const Id *machine, Ledger **ret, char **ret_problem)
{
	_cleanup_ledger_ Ledger *ledger = calloc(1, sizeof(Ledger));
	int r;

	if (!ledger)
		return -ENOMEM;
	works_init(ledger);
	pthread_mutex_init(&ledger->mutex, NULL);
	ledger->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ledger->fd < 0)
		return -errno;
	if (asprintf(&ledger->path, "%s/%s", directory, LEDGER_NAME) < 0) {
		ledger->path = NULL;
		return -ENOMEM;
	}
	r = ledger_connect(ledger, directory, machine, ret_problem);
	if (r == 0)
		r = ledger_start(ledger);
	if (r < 0)
		return r;
	*ret = take_ptr(ledger);
	return 0;
}

static void ledger_stop(Ledger *ledger)
{
	ledger->closing = true;
	pthread_mutex_lock(&ledger->mutex);
	ledger->stop = true;
	pthread_cond_signal(&ledger->wake);
	pthread_mutex_unlock(&ledger->mutex);
	pthread_join(ledger->thread, NULL);
	pthread_cond_destroy(&ledger->wake);
	ledger_dispatch(ledger);
	if (!ledger->problem)
		sql_tidy_at_close(&ledger->writer);
}

Ledger *ledger_close(Ledger *ledger)
{
	if (!ledger)
		return NULL;
	if (ledger->threaded)
		ledger_stop(ledger);
	sql_close(&ledger->reader);
	sql_close(&ledger->writer);
	pthread_mutex_destroy(&ledger->mutex);
	fd_close(ledger->fd);
	free(ledger->spilt);
	free(ledger->problem);
	free(ledger->hold_reason);
	free(ledger->path);
	free(ledger);
	return NULL;
}
