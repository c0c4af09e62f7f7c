/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/prometheus.h"

#include <ctype.h>
#include <string.h>

#include "ctl/member.h"

/** \brief [a-zA-Z_:][a-zA-Z0-9_:]*; of a label without the colon. */
static void write_name(const char *name, bool label, Buffer *text)
{
	for (size_t i = 0; name[i] != '\0'; i++) {
		char c = name[i];
		bool good = isascii(c) && (isalpha(c) || c == '_' || (c == ':' && !label) || (i > 0 && isdigit(c)));

		buffer_u8(text, (uint8_t)(good ? c : '_'));
	}
}

/** \brief Backslash and newline are escaped, in a label's value the quote, too. The format has no escape for other
 * control characters: a terminal gets a question mark. */
static void write_escaped(const char *value, bool label, Buffer *text)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\')
			buffer_text(text, "\\\\");
		else if (*value == '\n')
			buffer_text(text, "\\n");
		else if (*value == '"' && label)
			buffer_text(text, "\\\"");
		else
			buffer_u8(text, (uint8_t)(iscntrl((unsigned char)*value) && isascii(*value) ? '?' : *value));
	}
}

static void write_label(const char *name, struct json_object *value, bool first, Buffer *text)
{
	buffer_text(text, first ? "{" : ",");
	write_name(name, true, text);
	buffer_text(text, "=\"");
	write_escaped(json_object_is_type(value, json_type_string) ? json_object_get_string(value)
								   : json_object_to_json_string(value),
		      true, text);
	buffer_text(text, "\"");
}

static void write_sample(const char *name, struct json_object *sample, Buffer *text)
{
	struct json_object *labels = member_typed(sample, "labels", json_type_object), *value = member(sample, "value");
	bool first = true;

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return;
	write_name(name, false, text);
	if (labels) {
		json_object_object_foreach(labels, label, of)
		{
			write_label(label, of, first, text);
			first = false;
		}
	}
	buffer_text(text, first ? " " : "} ");
	json_write(value, text);
	buffer_text(text, "\n");
}

static void write_family(struct json_object *family, Buffer *text)
{
	const char *name = member_text(family, "name"), *type = member_text(family, "type");
	const char *help = member_text(family, "help");
	struct json_object *samples = member_list(family, "samples");

	if (!name || name[0] == '\0')
		return;
	if (help) {
		buffer_text(text, "# HELP ");
		write_name(name, false, text);
		buffer_text(text, " ");
		write_escaped(help, false, text);
		buffer_text(text, "\n");
	}
	buffer_text(text, "# TYPE ");
	write_name(name, false, text);
	buffer_text(text, " ");
	write_name(type ? type : "untyped", true, text);
	buffer_text(text, "\n");
	for (size_t i = 0; i < member_length(samples); i++)
		write_sample(name, json_object_array_get_idx(samples, i), text);
}

void prometheus_write(struct json_object *metrics, Buffer *text)
{
	size_t n = json_object_is_type(metrics, json_type_array) ? json_object_array_length(metrics) : 0;

	for (size_t i = 0; i < n; i++)
		write_family(json_object_array_get_idx(metrics, i), text);
}
