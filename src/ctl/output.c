/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/output.h"

#include <inttypes.h>
#include <langinfo.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

static const struct {
	const char *sequence;
	const char *name;
} colours[COLOUR_MAX] = {
	[COLOUR_NONE] = { "\033[0m", NULL },     [COLOUR_GOOD] = { "\033[32m", "green" },
	[COLOUR_WARN] = { "\033[33m", "brown" }, [COLOUR_BAD] = { "\033[31m", "red" },
	[COLOUR_BOLD] = { "\033[1m", "bold" },   [COLOUR_FAINT] = { "\033[2m", "dim" },
};

void output_init(Output *ret)
{
	const char *plain = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	bool capable = term && term[0] != '\0' && strcmp(term, "dumb") != 0;
	bool wanted = capable && (!plain || plain[0] == '\0');

	*ret = (Output){
		.terminal = capable && isatty(STDOUT_FILENO),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.colour = wanted && isatty(STDOUT_FILENO),
		.colour_errors = wanted && isatty(STDERR_FILENO),
		.terminal_errors = isatty(STDERR_FILENO),
	};
}

const char *output_colour(bool colour, Colour which)
{
	return colour ? colours[which].sequence : "";
}

const char *output_colour_name(Colour which)
{
	return colours[which].name;
}

void output_escape(const char *text, Buffer *buffer)
{
	if (text)
		text_escape(text, strlen(text), SIZE_MAX, buffer);
}

char *output_escaped(const char *text)
{
	_cleanup_buffer_ Buffer buffer = {};

	if (!text)
		return NULL;
	output_escape(text, &buffer);
	return buffer_take_text(&buffer);
}

void output_quote(const char *text, Buffer *buffer)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";

	if (text[0] != '\0' && text[strspn(text, plain)] == '\0') {
		buffer_text(buffer, text);
		return;
	}
	buffer_text(buffer, "'");
	for (const char *quote; (quote = strchr(text, '\'')); text = quote + 1) {
		text_escape(text, (size_t)(quote - text), SIZE_MAX, buffer);
		buffer_text(buffer, "'\\''");
	}
	output_escape(text, buffer);
	buffer_text(buffer, "'");
}

void output_value(struct json_object *value, Buffer *buffer)
{
	if (json_object_is_type(value, json_type_string))
		text_escape(json_object_get_string(value), (size_t)json_object_get_string_len(value), SIZE_MAX, buffer);
	else
		json_write(value, buffer);
}

void output_duration(uint64_t usec, Buffer *buffer)
{
	if (usec < USEC_PER_MSEC)
		buffer_format(buffer, "%" PRIu64 " us", usec);
	else if (usec < USEC_PER_SEC)
		buffer_format(buffer, "%.1f ms", (double)usec / (double)USEC_PER_MSEC);
	else if (usec < 60 * USEC_PER_SEC)
		buffer_format(buffer, "%.1f s", (double)usec / (double)USEC_PER_SEC);
	else if (usec < 3600 * USEC_PER_SEC)
		buffer_format(buffer, "%" PRIu64 " min %" PRIu64 " s", (uint64_t)(usec / (60 * USEC_PER_SEC)),
			      (uint64_t)(usec / USEC_PER_SEC % 60));
	else
		buffer_format(buffer, "%" PRIu64 " h %" PRIu64 " min", (uint64_t)(usec / (3600 * USEC_PER_SEC)),
			      (uint64_t)(usec / (60 * USEC_PER_SEC) % 60));
}

void output_moment(uint64_t usec, Buffer *buffer)
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	char text[64];
	struct tm moment;

	if (localtime_r(&seconds, &moment) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &moment) > 0)
		buffer_text(buffer, text);
	else
		buffer_format(buffer, "%" PRIu64 " us", usec);
}

void output_user(int64_t uid, Buffer *buffer)
{
	const struct passwd *user = uid >= 0 && uid < UINT32_MAX ? getpwuid((uid_t)uid) : NULL;

	if (!user) {
		buffer_format(buffer, "uid %" PRIi64, uid);
		return;
	}
	output_escape(user->pw_name, buffer);
	buffer_format(buffer, " (%" PRIi64 ")", uid);
}

static void indent(unsigned depth, Buffer *buffer)
{
	buffer_text(buffer, "\n");
	for (unsigned i = 0; i < depth; i++)
		buffer_text(buffer, "  ");
}

static void write_pretty(struct json_object *json, unsigned depth, Buffer *buffer);

static void write_array(struct json_object *json, unsigned depth, Buffer *buffer)
{
	size_t n = json_object_array_length(json);

	for (size_t i = 0; i < n; i++) {
		buffer_text(buffer, i ? "," : "[");
		indent(depth + 1, buffer);
		write_pretty(json_object_array_get_idx(json, i), depth + 1, buffer);
	}
	indent(depth, buffer);
	buffer_text(buffer, "]");
}

static void write_object(struct json_object *json, unsigned depth, Buffer *buffer)
{
	const char *opening = "{";

	json_object_object_foreach(json, name, value)
	{
		buffer_text(buffer, opening);
		indent(depth + 1, buffer);
		json_write_string(name, strlen(name), buffer);
		buffer_text(buffer, ": ");
		write_pretty(value, depth + 1, buffer);
		opening = ",";
	}
	indent(depth, buffer);
	buffer_text(buffer, "}");
}

static void write_pretty(struct json_object *json, unsigned depth, Buffer *buffer)
{
	if (json_object_is_type(json, json_type_array) && json_object_array_length(json) > 0)
		write_array(json, depth, buffer);
	else if (json_object_is_type(json, json_type_object) && json_object_object_length(json) > 0)
		write_object(json, depth, buffer);
	else
		json_write(json, buffer);
}

void output_json(struct json_object *json, JsonStyle style, Buffer *buffer)
{
	if (style == JSON_STYLE_PRETTY)
		write_pretty(json, 0, buffer);
	else
		json_write(json, buffer);
	buffer_text(buffer, "\n");
}

void output_put(const Buffer *buffer, FILE *stream)
{
	if (buffer->size > 0)
		fwrite(buffer->data, 1, buffer->size, stream);
}
