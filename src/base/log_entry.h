/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One log entry as a block of memory, from the caller's thread to the one that writes it. Values are escaped and cut
 * when it is made; what is written is "NAME=value" fields for a journal, or a line for people. Private to base's log.
 */
#pragma once

#include <stdarg.h>

#include "base/buffer.h"
#include "base/log.h"

#define LOG_ENTRY_FIELDS_MAX 32

typedef struct LogEntry {
	struct LogEntry *next;
	int priority;
	unsigned n_fields; /* the first is MESSAGE, the second PRIORITY; then the caller's, MESSAGE_ID at their end */
	unsigned n_shown;  /* of the fields: what a line for people ends with */
	size_t size;       /* of `text` */
	char text[];       /* the fields, each ended by NUL */
} LogEntry;

/** \brief NULL where memory is short. To be freed with free(). */
LogEntry *log_entry_new(int priority, const char *message_id, const LogField *fields, size_t n_fields,
			const char *format, va_list list);
/** \brief The fields, with SYSLOG_IDENTIFIER in front: borrowed from \p entry and \p identifier_field. */
unsigned log_entry_fields(const LogEntry *entry, const char *identifier_field,
			  struct iovec ret[static LOG_ENTRY_FIELDS_MAX + 3]);
/** \brief "message [NAME=value NAME="other value"]\n", with "<N>" or "IDENTIFIER: " before it. */
void log_entry_line(const LogEntry *entry, const char *identifier, bool numbered, Buffer *buffer);
