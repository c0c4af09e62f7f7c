/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ini.h>

#include "base/io.h"
#include "base/text.h"
#include "daemon/config_load_private.h"

#define SECTION "Daemon"
#define SHOWN_MAX 200 /* bytes of a line that an error shows */

/* One file on its way through the parser. */
typedef struct Source {
	ConfigLoaded *loaded;
	const ConfigFile *file;
	const char *text;
	size_t size, at;
	unsigned line;
	int error;
} Source;

static const char *const byte_order_mark = "\xef\xbb\xbf";

static void say(Source *source, Buffer *text)
{
	int r = config_error(source->loaded, text);

	if (r < 0)
		source->error = r;
}

static void begin(const Source *source, Buffer *text)
{
	buffer_format(text, "%s:%u: ", source->file->path, source->line);
}

static void show(const char *value, size_t size, Buffer *text)
{
	buffer_text(text, "; got \"");
	text_escape(value, size, SHOWN_MAX, text);
	buffer_text(text, "\"");
}

/* What cannot be a line of settings is told, and not given to the parser, which would tell of the first one only. */
static void complain_line(Source *source, const char *line, size_t length, const char *expected)
{
	_cleanup_buffer_ Buffer text = { 0 };

	begin(source, &text);
	buffer_text(&text, expected);
	show(line, length, &text);
	say(source, &text);
}

static void complain_unknown(Source *source, const char *name)
{
	_cleanup_buffer_ Buffer text = { 0 };
	const char *closest = config_closest(name);

	begin(source, &text);
	text_escape(name, strlen(name), SHOWN_MAX, &text);
	buffer_text(&text, ": expected a setting of ryuso.conf(5)");
	if (closest)
		buffer_format(&text, " (did you mean %s?)", closest);
	buffer_text(&text, "; there is none of that name");
	say(source, &text);
}

static void complain_value(Source *source, const char *name, const char *value)
{
	_cleanup_free_ char *expected = config_expected(name);
	_cleanup_buffer_ Buffer text = { 0 };

	begin(source, &text);
	buffer_format(&text, "%s: %s", name, expected ? expected : "expected another value");
	show(value, strlen(value), &text);
	say(source, &text);
}

static void complain_section(Source *source, const char *section, const char *name)
{
	_cleanup_buffer_ Buffer text = { 0 };

	begin(source, &text);
	text_escape(name, strlen(name), SHOWN_MAX, &text);
	buffer_text(&text, ": expected it in section [" SECTION "]; got ");
	if (*section) {
		buffer_text(&text, "section [");
		text_escape(section, strlen(section), SHOWN_MAX, &text);
		buffer_text(&text, "]");
	} else {
		buffer_text(&text, "it before any section");
	}
	say(source, &text);
}

static bool is_somebody_elses(const char *name)
{
	return strncmp(name, "X-", 2) == 0;
}

/* Of the parser. */
static int on_setting(void *user, const char *section, const char *name, const char *value)
{
	Source *source = user;
	ConfigLoaded *loaded = source->loaded;
	size_t index = config_index(name);
	int r;

	if (is_somebody_elses(section) || is_somebody_elses(name))
		return 1;
	if (strcmp(section, SECTION) != 0) {
		complain_section(source, section, name);
		return 1;
	}
	if (source->file->shared && strcmp(name, "Module") == 0)
		return 1;
	r = config_set(&loaded->config, name, value);
	if (r == -ENOENT)
		complain_unknown(source, name);
	else if (r == -ENOMEM)
		source->error = r;
	else if (r < 0)
		complain_value(source, name, value);
	else
		loaded->origins[index] = *value ? (ConfigOrigin){ loaded->n_files, source->line } : (ConfigOrigin){ 0 };
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next line without white space around it: false where there is none. */
static bool next_line(Source *source, const char **ret_line, size_t *ret_length)
{
	const char *line = source->text + source->at, *end;
	size_t length;

	if (source->at >= source->size)
		return false;
	end = memchr(line, '\n', source->size - source->at);
	length = end ? (size_t)(end - line) : source->size - source->at;
	source->at += length + 1;
	source->line++;
	while (length > 0 && is_blank(line[0])) {
		line++;
		length--;
	}
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	*ret_line = line;
	*ret_length = length;
	return true;
}

static bool is_comment(const char *line, size_t length)
{
	return length == 0 || line[0] == '#' || line[0] == ';';
}

/* Of the parser, which wants a line as fgets() has them. */
static char *on_line(char *buffer, int size, void *user)
{
	char expected[64];
	Source *source = user;
	const char *line;
	size_t length;

	while (source->error == 0 && next_line(source, &line, &length)) {
		if (is_comment(line, length))
			continue;
		snprintf(expected, sizeof(expected), "expected a line of at most %d bytes", size - 2);
		if (memchr(line, '\0', length))
			complain_line(source, line, length, "expected text without the byte 0");
		else if (length > (size_t)size - 2)
			complain_line(source, line, length, expected);
		else if (line[0] == '[' && line[length - 1] != ']')
			complain_line(source, line, length, "expected \"]\" at the end of a section's name");
		else if (line[0] != '[' && !memchr(line, '=', length))
			complain_line(source, line, length, "expected [" SECTION "], Name=value or a comment");
		else {
			memcpy(buffer, line, length);
			buffer[length] = '\n';
			buffer[length + 1] = '\0';
			return buffer;
		}
	}
	return NULL;
}

static int parse(ConfigLoaded *loaded, const ConfigFile *file, const Buffer *text)
{
	Source source = {
		.loaded = loaded,
		.file = file,
		.text = (const char *)text->data,
		.size = text->size,
	};
	int r;

	if (source.size >= 3 && memcmp(source.text, byte_order_mark, 3) == 0)
		source.at = 3;
	r = ini_parse_stream(on_line, &source, on_setting, &source);
	return source.error < 0 ? source.error : r < 0 ? -ENOMEM : 0;
}

static bool is_null(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* An empty text where it is a mask. */
static int read_text(const char *path, Buffer *text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (is_null(&status))
		return 0;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	return S_ISREG(status.st_mode) ? read_fd(fd, CONFIG_FILE_MAX, text) : -EINVAL;
}

static int add_file(ConfigLoaded *loaded, const char *path)
{
	char **files = reallocarray(loaded->files, loaded->n_files + 1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	loaded->files = files;
	files[loaded->n_files] = strdup(path);
	return files[loaded->n_files++] ? 0 : -ENOMEM;
}

int config_file_read(ConfigLoaded *loaded, const ConfigFile *file)
{
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	r = read_text(file->path, &text);
	if (r < 0 || text.size == 0)
		return r;
	r = add_file(loaded, file->path);
	return r < 0 ? r : parse(loaded, file, &text);
}
