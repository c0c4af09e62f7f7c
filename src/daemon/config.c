/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ini.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "daemon/quantity.h"

#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)
#define SEC USEC_PER_SEC
#define DAY (86400ULL * USEC_PER_SEC)

typedef enum SettingKind {
	SETTING_TEXT,
	SETTING_WORD,
	SETTING_COUNT,
	SETTING_SIZE,
	SETTING_TIME,
} SettingKind;

typedef struct Setting {
	const char *name;
	SettingKind kind;
	size_t offset;
	uint64_t fallback, min, max;
	bool open;                /* 0 (sizes: "infinity") may be said, too: no limit */
	const char *const *words; /* by the numbers of their enum; the first is the default */
} Setting;

#define SETTING(text, kind, member, fallback, min, max, open)                                  \
	{                                                                                      \
		text, SETTING_##kind, offsetof(Config, member), fallback, min, max, open, NULL \
	}
#define SETTING_OF(text, member, words)                                             \
	{                                                                           \
		text, SETTING_WORD, offsetof(Config, member), 0, 0, 0, false, words \
	}

static const char *const trace_words[] = { "hooks", "runs", "failures", NULL };
static const char *const parked_words[] = { "continue", "hold", NULL };

_Static_assert(ELEMENTSOF(trace_words) == TRACE_LEVEL_MAX + 1 && ELEMENTSOF(parked_words) == ON_PARKED_MAX + 1,
	       "a word for each");

static const Setting settings[] = {
	SETTING("Module", TEXT, module, 0, 0, 0, false),
	SETTING_OF("Trace", trace, trace_words),
	SETTING("MaxRequestSize", SIZE, max_request_size, 1 * MIB, 1 * KIB, 64 * MIB, false),
	SETTING("MaxDepth", COUNT, max_depth, 32, 2, JSON_DEPTH_MAX, false),
	SETTING("MaxConnections", COUNT, max_connections, 512, 1, 65536, false),
	SETTING("MaxConnectionsPerUser", COUNT, max_connections_per_user, 256, 1, 65536, false),
	SETTING("QueueLength", COUNT, queue_length, 4096, 1, 1000000, false),
	SETTING("RequestTimeout", TIME, request_timeout, 10 * SEC, 1000, 1 * DAY, false),
	SETTING("ReplyTimeout", TIME, reply_timeout, 30 * SEC, 1000, 1 * DAY, false),
	SETTING("RunsPerWorker", COUNT, runs_per_worker, 100000, 1, UINT32_MAX, true),
	SETTING("ModuleTimeout", TIME, module_timeout, 10 * SEC, 1000, 1 * DAY, false),
	SETTING("StopTimeout", TIME, stop_timeout, 80 * SEC, 1000, 1 * DAY, false),
	SETTING("WorkerMemory", SIZE, worker_memory, 0, 16 * MIB, 1024 * GIB, true),
	SETTING("RecorderSize", SIZE, recorder_size, 8 * MIB, 64 * KIB, 1 * GIB, false),
	SETTING("MaxPoolSize", SIZE, max_pool_size, 1 * MIB, 1 * KIB, 64 * MIB, false),
	SETTING("MaxNotesSize", SIZE, max_notes_size, 64 * KIB, 1 * KIB, 64 * MIB, false),
	SETTING("MaxRectifiedSize", SIZE, max_rectified_size, 256 * KIB, 1 * KIB, 64 * MIB, false),
	SETTING_OF("OnParked", on_parked, parked_words),
	SETTING("KeepRuns", COUNT, keep_runs, 10000, 1, 100000000, true),
	SETTING("KeepRunsTime", TIME, keep_runs_time, 30 * DAY, 1 * SEC, 36500 * DAY, true),
	SETTING("KeepReplies", COUNT, keep_replies, 100000, 1, 100000000, true),
	SETTING("KeepRepliesTime", TIME, keep_replies_time, 30 * DAY, 1 * SEC, 36500 * DAY, true),
};

void config_init(Config *config)
{
	*config = (Config){ 0 };
	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		if (settings[i].kind >= SETTING_COUNT)
			*(uint64_t *)((char *)config + settings[i].offset) = settings[i].fallback;
}

void config_done(Config *config)
{
	free(config->module);
	*config = (Config){ 0 };
}

static const Setting *setting_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static int set_text(Config *config, const Setting *setting, const char *value)
{
	char **place = (char **)((char *)config + setting->offset);
	char *copy;

	if (!*value)
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int set_word(Config *config, const Setting *setting, const char *value)
{
	unsigned *place = (unsigned *)((char *)config + setting->offset);

	for (unsigned i = 0; setting->words[i]; i++)
		if (strcmp(setting->words[i], value) == 0) {
			*place = i;
			return 0;
		}
	return -EINVAL;
}

static int set_number(Config *config, const Setting *setting, const char *value)
{
	uint64_t number = 0;
	int r;

	if (setting->kind == SETTING_TIME)
		r = quantity_time(value, &number);
	else if (setting->kind == SETTING_SIZE)
		r = quantity_size(value, &number);
	else
		r = quantity_count(value, &number);
	if (r < 0)
		return r;
	if (!(number == 0 && setting->open) && (number < setting->min || number > setting->max))
		return -ERANGE;
	*(uint64_t *)((char *)config + setting->offset) = number;
	return 0;
}

int config_set(Config *config, const char *name, const char *value)
{
	const Setting *setting = setting_find(name);

	if (!setting)
		return -ENOENT;
	switch (setting->kind) {
	case SETTING_TEXT:
		return set_text(config, setting, value);
	case SETTING_WORD:
		return set_word(config, setting, value);
	default:
		return set_number(config, setting, value);
	}
}

static void format_number(const Setting *setting, uint64_t number, Buffer *buffer)
{
	if (setting->kind == SETTING_TIME)
		quantity_format_time(number, buffer);
	else if (setting->kind == SETTING_SIZE && number == 0)
		buffer_text(buffer, "infinity");
	else if (setting->kind == SETTING_SIZE)
		quantity_format_size(number, buffer);
	else
		buffer_format(buffer, "%" PRIu64, number);
}

char *config_expected(const char *name)
{
	static const char *const kinds[] = { NULL, NULL, "a number", "a size", "a time" };
	const Setting *setting = setting_find(name);
	_cleanup_buffer_ Buffer text = { 0 };

	if (!setting)
		return NULL;
	if (setting->kind == SETTING_TEXT) {
		buffer_text(&text, "expected a file name");
	} else if (setting->kind == SETTING_WORD) {
		buffer_text(&text, "expected one of ");
		for (unsigned i = 0; setting->words[i]; i++)
			buffer_format(&text, "%s%s", i > 0 ? ", " : "", setting->words[i]);
	} else {
		buffer_format(&text, "expected %s from ", kinds[setting->kind]);
		format_number(setting, setting->min, &text);
		buffer_text(&text, " to ");
		format_number(setting, setting->max, &text);
		if (setting->open)
			buffer_text(&text, setting->kind == SETTING_SIZE ? ", or infinity" : ", or 0");
	}
	return buffer_take_text(&text);
}

static const char *setting_closest(const char *name)
{
	const char *names[ELEMENTSOF(settings)];

	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		names[i] = settings[i].name;
	return text_closest(name, names, ELEMENTSOF(names));
}

/* The file being read. */
typedef struct Source {
	Config *config;
	const char *path;
	FILE *stream;
	unsigned line;
	ConfigComplain complain;
	void *context;
} Source;

static void complain(Source *source, Buffer *text)
{
	_cleanup_free_ char *line = buffer_take_text(text);

	source->complain(source->context, line ? line : "a setting could not be read: out of memory");
}

static void complain_setting(Source *source, const char *name, const char *value)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *expected = config_expected(name);
	const Setting *setting = setting_find(name);
	const char *closest;

	buffer_format(&text, "%s:%u: %s: ", source->path, source->line, name);
	if (setting) {
		buffer_format(&text, "%s; got \"", expected ? expected : "another value is expected");
		text_escape(value, strlen(value), 200, &text);
		buffer_text(&text, "\"; the line is ignored");
	} else {
		closest = setting_closest(name);
		buffer_text(&text, "there is no such setting");
		if (closest)
			buffer_format(&text, " (did you mean %s?)", closest);
		buffer_text(&text, "; the line is ignored");
	}
	complain(source, &text);
}

static int on_setting(void *user, const char *section, const char *name, const char *value)
{
	Source *source = user;
	_cleanup_buffer_ Buffer text = { 0 };

	if (strcmp(section, "Daemon") != 0) {
		buffer_format(&text, "%s:%u: section [%s]: expected [Daemon]; %s= is ignored", source->path,
			      source->line, section, name);
		complain(source, &text);
		return 1;
	}
	if (config_set(source->config, name, value) < 0)
		complain_setting(source, name, value);
	return 1;
}

static char *on_line(char *line, int size, void *stream)
{
	Source *source = stream;

	source->line++;
	return fgets(line, size, source->stream);
}

int config_read(Config *config, const char *path, ConfigComplain complain_to, void *context)
{
	Source source = { .config = config, .path = path, .complain = complain_to, .context = context };
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	source.stream = fopen(path, "re");
	if (!source.stream)
		return -errno;
	r = ini_parse_stream(on_line, &source, on_setting, &source);
	fclose(source.stream);
	if (r > 0) {
		buffer_format(&text, "%s:%d: expected a section, a comment or Name=value; the line is ignored", path,
			      r);
		complain(&source, &text);
	}
	return r < 0 ? -ENOMEM : 0;
}
