/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#define SD_JOURNAL_SUPPRESS_LOCATION

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log_entry.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define IDENTIFIER_FIELD "SYSLOG_IDENTIFIER="

/* One log per process. What is before `lock` changes only while there is no thread. */
static struct {
	char identifier[sizeof(IDENTIFIER_FIELD) + 64]; /* the field whole */
	LogSend send;                                   /* NULL: lines to standard error */
	bool numbered;                                  /* they begin with "<N>" */
	bool threaded;
	pthread_t thread;
	atomic_uint_fast64_t lost;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied; /* by the monotonic clock */
	LogEntry *first, **last;
	size_t n_entries, n_bytes;
	bool idle; /* the thread waits */
	bool ending;
	uint64_t reported; /* how many lost entries a message has told of */
} logger = { .identifier = IDENTIFIER_FIELD, .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *identifier(void)
{
	const char *name = logger.identifier + strlen(IDENTIFIER_FIELD);

	return *name ? name : program_invocation_short_name;
}

static int write_line(const LogEntry *entry)
{
	_cleanup_buffer_ Buffer line = { 0 };
	int r;

	log_entry_line(entry, identifier(), logger.numbered, &line);
	r = buffer_error(&line);
	return r < 0 ? r : write_all(STDERR_FILENO, line.data, line.size);
}

static void write_entry(const LogEntry *entry)
{
	struct iovec fields[LOG_ENTRY_FIELDS_MAX + 4];
	int r = -EOPNOTSUPP;

	if (logger.send)
		r = logger.send(fields, (int)log_entry_fields(entry, logger.identifier, fields));
	if (r < 0)
		r = write_line(entry);
	if (r < 0)
		atomic_fetch_add(&logger.lost, 1);
}

static bool is_journal_stream(const struct stat *found)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && found->st_dev == device &&
	       found->st_ino == inode;
}

static int set_target(const char *name, LogSend send, bool numbered)
{
	if (logger.threaded)
		return -EBUSY;
	snprintf(logger.identifier, sizeof(logger.identifier), IDENTIFIER_FIELD "%s", name);
	logger.send = send;
	logger.numbered = numbered;
	return 0;
}

int log_open(const char *name, bool journal)
{
	struct stat found = { 0 };
	bool is_open = fstat(STDERR_FILENO, &found) == 0;
	bool stream = is_open && is_journal_stream(&found);
	bool numbered = is_open && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
	bool available = stream || access(JOURNAL_SOCKET, F_OK) == 0;
	const char *place = getenv("RYUSO_LOG");
	bool wanted = journal && !(place && strcmp(place, "stderr") == 0);

	return set_target(name, wanted && available ? sd_journal_sendv : NULL, numbered);
}

int log_open_with(const char *name, LogSend send)
{
	return set_target(name, send, false);
}

_printf_(2, 3) static LogEntry *entry_format(int priority, const char *format, ...)
{
	LogEntry *entry;
	va_list list;

	va_start(list, format);
	entry = log_entry_new(priority, NULL, NULL, 0, format, list);
	va_end(list);
	return entry;
}

static void report_lost(void)
{
	uint64_t lost = log_lost();
	_cleanup_free_ LogEntry *entry = NULL;

	if (lost == logger.reported)
		return;
	entry = entry_format(LOG_WARNING, "log entries that could not be written, and are lost: %ju",
			     (uintmax_t)(lost - logger.reported));
	logger.reported = lost;
	if (entry)
		write_entry(entry);
}

static void write_entries(LogEntry *entry)
{
	while (entry) {
		LogEntry *next = entry->next;

		write_entry(entry);
		free(entry);
		entry = next;
	}
}

static void *run_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&logger.lock);
	for (;;) {
		LogEntry *entries = take_ptr(logger.first);

		if (!entries && logger.ending)
			break;
		if (!entries) {
			logger.idle = true;
			pthread_cond_signal(&logger.emptied);
			pthread_cond_wait(&logger.filled, &logger.lock);
			logger.idle = false;
			continue;
		}
		logger.last = &logger.first;
		logger.n_entries = logger.n_bytes = 0;
		pthread_mutex_unlock(&logger.lock);
		write_entries(entries);
		report_lost();
		pthread_mutex_lock(&logger.lock);
	}
	logger.idle = true;
	pthread_cond_signal(&logger.emptied);
	pthread_mutex_unlock(&logger.lock);
	return NULL;
}

static int init_conditions(void)
{
	pthread_condattr_t attributes;
	int r = pthread_condattr_init(&attributes);

	if (r != 0)
		return -r;
	r = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(&logger.filled, &attributes);
	if (r == 0)
		r = pthread_cond_init(&logger.emptied, &attributes);
	pthread_condattr_destroy(&attributes);
	return -r;
}

int log_start(void)
{
	sigset_t all, before;
	int r;

	if (logger.threaded)
		return -EALREADY;
	r = init_conditions();
	if (r < 0)
		return r;
	logger.last = &logger.first;
	logger.ending = logger.idle = false;
	/* Signals are for the other threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&logger.thread, NULL, run_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	logger.threaded = true;
	return 0;
}

void log_close(void)
{
	uint64_t until = clock_monotonic() + LOG_CLOSE_USEC;
	struct timespec time = { (time_t)(until / USEC_PER_SEC), (long)(until % USEC_PER_SEC * 1000) };
	bool done;

	if (!logger.threaded)
		return;
	logger.threaded = false;
	pthread_mutex_lock(&logger.lock);
	logger.ending = true;
	pthread_cond_signal(&logger.filled);
	while (!(logger.idle && !logger.first))
		if (pthread_cond_timedwait(&logger.emptied, &logger.lock, &time) != 0)
			break;
	done = logger.idle && !logger.first;
	pthread_mutex_unlock(&logger.lock);
	/* A thread that is stuck in a write is left to the end of the process. */
	if (done)
		pthread_join(logger.thread, NULL);
	else
		pthread_detach(logger.thread);
}

static bool push(LogEntry *entry)
{
	bool fits, wake;

	pthread_mutex_lock(&logger.lock);
	fits = logger.n_entries < LOG_QUEUE_ENTRIES && entry->size <= LOG_QUEUE_BYTES - logger.n_bytes;
	if (fits) {
		*logger.last = entry;
		logger.last = &entry->next;
		logger.n_entries++;
		logger.n_bytes += entry->size;
	}
	wake = fits && logger.idle;
	logger.idle = logger.idle && !wake;
	pthread_mutex_unlock(&logger.lock);
	if (wake)
		pthread_cond_signal(&logger.filled);
	return fits;
}

void log_entry(int priority, const char *message_id, const LogField *fields, size_t n_fields, const char *format, ...)
{
	_cleanup_free_ LogEntry *entry = NULL;
	va_list list;

	va_start(list, format);
	entry = log_entry_new(priority, message_id, fields, n_fields, format, list);
	va_end(list);
	if (!entry || (logger.threaded && !push(entry)))
		atomic_fetch_add(&logger.lost, 1);
	else if (logger.threaded)
		entry = NULL;
	else
		write_entry(entry);
}

uint64_t log_lost(void)
{
	return atomic_load(&logger.lost);
}
