/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	SETTING("MaxValues", COUNT, max_values, 65536, 16384, 16777216, false),
	SETTING("MaxConnections", COUNT, max_connections, 4096, 1, 65536, false),
	SETTING("MaxConnectionsPerUser", COUNT, max_connections_per_user, 256, 1, 65536, false),
	SETTING("QueueLength", COUNT, queue_length, 4096, 1, 1000000, false),
	SETTING("MaxQueuedPerUser", COUNT, max_queued_per_user, 1024, 1, 1000000, false),
	SETTING("MaxBytesPerUser", SIZE, max_bytes_per_user, 64 * MIB, 1 * MIB, 1024 * GIB, false),
	SETTING("MaxUnreadReplies", SIZE, max_unread_replies, 16 * MIB, 64 * KIB, 1 * GIB, false),
	SETTING("RequestTimeout", TIME, request_timeout, 10 * SEC, 1000, 1 * DAY, false),
	SETTING("ReplyTimeout", TIME, reply_timeout, 30 * SEC, 1000, 1 * DAY, false),
	SETTING("RunsPerWorker", COUNT, runs_per_worker, 1000000, 1, UINT32_MAX, true),
	SETTING("ModuleTimeout", TIME, module_timeout, 10 * SEC, 1000, 1 * DAY, false),
	SETTING("StopTimeout", TIME, stop_timeout, 80 * SEC, 1000, 1 * DAY, false),
	SETTING("StopTimeoutRectifying", TIME, stop_timeout_rectifying, 600 * SEC, 1000, 1 * DAY, false),
	SETTING("IdleExit", TIME, idle_exit, 0, SEC / 10, 36500 * DAY, true),
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

/* What is made once, at the start. */
static const char *const lasting[] = { "RecorderSize" };

_Static_assert(ELEMENTSOF(settings) <= CONFIG_SETTINGS_MAX, "there is a place for each");

static void *place_of(const Config *config, const Setting *setting)
{
	return (char *)config + setting->offset;
}

static void setting_reset(Config *config, const Setting *setting)
{
	void *place = place_of(config, setting);

	if (setting->kind == SETTING_TEXT)
		free(take_ptr(*(char **)place));
	else if (setting->kind == SETTING_WORD)
		*(unsigned *)place = 0;
	else
		*(uint64_t *)place = setting->fallback;
}

void config_init(Config *config)
{
	*config = (Config){ 0 };
	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		setting_reset(config, &settings[i]);
}

void config_done(Config *config)
{
	free(config->module);
	*config = (Config){ 0 };
}

size_t config_count(void)
{
	return ELEMENTSOF(settings);
}

size_t config_index(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return i;
	return CONFIG_SETTINGS_MAX;
}

const char *config_name(size_t index)
{
	return settings[index].name;
}

static const Setting *setting_find(const char *name)
{
	size_t index = config_index(name);

	return index < ELEMENTSOF(settings) ? &settings[index] : NULL;
}

static int set_text(Config *config, const Setting *setting, const char *value)
{
	char **place = place_of(config, setting);
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int set_word(Config *config, const Setting *setting, const char *value)
{
	unsigned *place = place_of(config, setting);

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

	if (strcmp(value, "infinity") == 0)
		r = setting->open ? 0 : -ERANGE;
	else if (setting->kind == SETTING_TIME)
		r = quantity_time(value, &number);
	else if (setting->kind == SETTING_SIZE)
		r = quantity_size(value, &number);
	else
		r = quantity_count(value, &number);
	if (r < 0)
		return r;
	if (!(number == 0 && setting->open) && (number < setting->min || number > setting->max))
		return -ERANGE;
	*(uint64_t *)place_of(config, setting) = number;
	return 0;
}

int config_set(Config *config, const char *name, const char *value)
{
	const Setting *setting = setting_find(name);

	if (!setting)
		return -ENOENT;
	if (!*value) {
		setting_reset(config, setting);
		return 0;
	}
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
	if (number == 0 && setting->open)
		buffer_text(buffer, "infinity");
	else if (setting->kind == SETTING_TIME)
		quantity_format_time(number, buffer);
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
		buffer_text(&text, "expected a module's file or name");
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
			buffer_text(&text, ", or infinity");
	}
	return buffer_take_text(&text);
}

char *config_text(const Config *config, size_t index)
{
	const Setting *setting = &settings[index];
	const void *place = place_of(config, setting);
	_cleanup_buffer_ Buffer text = { 0 };

	if (setting->kind == SETTING_TEXT)
		buffer_text(&text, *(char *const *)place ? *(char *const *)place : "");
	else if (setting->kind == SETTING_WORD)
		buffer_text(&text, setting->words[*(const unsigned *)place]);
	else
		format_number(setting, *(const uint64_t *)place, &text);
	return buffer_take_text(&text);
}

bool config_same(const Config *a, const Config *b, size_t index)
{
	const Setting *setting = &settings[index];
	const void *one = place_of(a, setting), *other = place_of(b, setting);

	if (setting->kind == SETTING_WORD)
		return *(const unsigned *)one == *(const unsigned *)other;
	if (setting->kind != SETTING_TEXT)
		return *(const uint64_t *)one == *(const uint64_t *)other;
	one = *(char *const *)one;
	other = *(char *const *)other;
	return one && other ? strcmp(one, other) == 0 : one == other;
}

bool config_lasts(size_t index)
{
	for (size_t i = 0; i < ELEMENTSOF(lasting); i++)
		if (strcmp(lasting[i], settings[index].name) == 0)
			return true;
	return false;
}

void config_keep_lasting(Config *config, const Config *before)
{
	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		if (config_lasts(i))
			*(uint64_t *)place_of(config, &settings[i]) = *(uint64_t *)place_of(before, &settings[i]);
}

const char *config_closest(const char *name)
{
	const char *names[ELEMENTSOF(settings)];

	for (size_t i = 0; i < ELEMENTSOF(settings); i++)
		names[i] = settings[i].name;
	return text_closest(name, names, ELEMENTSOF(names));
}
