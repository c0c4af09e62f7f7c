/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log_entry.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void append_field(Buffer *text, const char *name, const char *value, size_t max)
{
	buffer_text(text, name);
	buffer_u8(text, '=');
	text_escape(value, strlen(value), max, text);
	buffer_u8(text, '\0');
}

static void append_message(Buffer *text, const char *format, va_list list)
{
	char message[LOG_MESSAGE_MAX + 8] = ""; /* room for a whole character more than is shown: the cut is seen */

	vsnprintf(message, sizeof(message), format, list);
	append_field(text, "MESSAGE", message, LOG_MESSAGE_MAX);
}

LogEntry *log_entry_new(int priority, const char *message_id, const LogField *fields, size_t n_fields,
			const char *format, va_list list)
{
	_cleanup_buffer_ Buffer text = { 0 };
	const char number[] = { (char)('0' + (priority & 7)), '\0' };
	LogEntry head = { .priority = priority & 7, .n_fields = 2 };

	buffer_append(&text, &head, sizeof(head));
	append_message(&text, format, list);
	append_field(&text, "PRIORITY", number, 1);
	for (size_t i = 0; i < n_fields && head.n_shown < LOG_ENTRY_FIELDS_MAX; i++) {
		if (!fields[i].value)
			continue;
		append_field(&text, fields[i].name, fields[i].value, LOG_FIELD_MAX);
		head.n_shown++;
	}
	if (message_id)
		append_field(&text, "MESSAGE_ID", message_id, LOG_FIELD_MAX);
	if (text.failed)
		return NULL;
	head.n_fields += head.n_shown + (message_id != NULL);
	head.size = text.size - sizeof(head);
	memcpy(text.data, &head, sizeof(head));
	return (LogEntry *)(void *)take_ptr(text.data);
}

unsigned log_entry_fields(const LogEntry *entry, const char *identifier_field,
			  struct iovec ret[static LOG_ENTRY_FIELDS_MAX + 3])
{
	const char *at = entry->text;

	ret[0] = (struct iovec){ (char *)identifier_field, strlen(identifier_field) };
	for (unsigned i = 1; i <= entry->n_fields; i++) {
		ret[i] = (struct iovec){ (char *)at, strlen(at) };
		at += ret[i].iov_len + 1;
	}
	return entry->n_fields + 1;
}

/* A value that could be taken for more than one is put in quotes. */
static void append_value(Buffer *buffer, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@";

	if (value[0] != '\0' && value[strspn(value, plain)] == '\0') {
		buffer_text(buffer, value);
		return;
	}
	buffer_u8(buffer, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buffer_u8(buffer, '\\');
		buffer_u8(buffer, (uint8_t)*value);
	}
	buffer_u8(buffer, '"');
}

void log_entry_line(const LogEntry *entry, const char *identifier, bool numbered, Buffer *buffer)
{
	const char *field = entry->text;

	if (numbered)
		buffer_format(buffer, "<%d>", entry->priority);
	else
		buffer_format(buffer, "%s: ", identifier);
	buffer_text(buffer, field + strlen("MESSAGE="));
	field += strlen(field) + 1;
	for (unsigned i = 0; i < entry->n_shown; i++) {
		const char *value;

		field += strlen(field) + 1;
		value = strchr(field, '=') + 1;
		buffer_text(buffer, i == 0 ? " [" : " ");
		buffer_append(buffer, field, (size_t)(value - field));
		append_value(buffer, value);
	}
	buffer_text(buffer, entry->n_shown > 0 ? "]\n" : "\n");
}
