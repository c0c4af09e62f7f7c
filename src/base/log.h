/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structured log entries: to the journal, or as readable lines to standard error ("<N>" before them where it is a pipe
 * or a socket). Entries are handed to a thread of their own over a bounded queue, so that the caller never waits for
 * the journal; what did not fit is counted, and the count is logged when there is room again. `spec`, `wire`, `run` and
 * the rest of `base` never log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <sys/uio.h>

#include "base/macro.h"

#define LOG_MESSAGE_MAX 4096 /* bytes of a message */
#define LOG_QUEUE_ENTRIES 4096
#define LOG_QUEUE_BYTES (4U << 20)
#define LOG_CLOSE_USEC (2 * USEC_PER_SEC)
#define LOG_FIELD_MAX 1024 /* bytes of client text that one field may carry; the rest is cut and marked with "…" */

typedef struct LogField {
	const char *name;  /* "RYUSO_RUN" */
	const char *value; /* NULL: the field is left out. Control characters are escaped on the way */
} LogField;

/** \brief \p journal: to journald if it is there (else standard error). Starts no thread yet. */
int log_open(const char *identifier, bool journal);
/** \brief Who takes an entry's "NAME=value" fields: sd_journal_sendv(), or a test. Negative errno where it is lost. */
typedef int (*LogSend)(const struct iovec *fields, int n_fields);
/** \brief Like log_open() with a journal, but entries go to \p send. */
int log_open_with(const char *identifier, LogSend send);
/** \brief Starts the thread. Not before this process's last fork without exec. */
int log_start(void);
/** \brief Waits (bounded: 2 s) until the queue is empty, then ends the thread. */
void log_close(void);
/** \brief One entry. \p message_id: 32 hexadecimal characters or NULL. \p fields are copied. */
void log_entry(int priority, const char *message_id, const LogField *fields, size_t n_fields, const char *format, ...)
	_printf_(5, 6);
#define log_line(priority, ...) log_entry(priority, NULL, NULL, 0, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
/** \brief Entries lost since the start: the queue was full, or they could not be written. */
uint64_t log_lost(void);
