/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/journal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "base/json.h"
#include "base/text.h"
#include "ctl/interrupt.h"

#define FIELD_MAX (64U << 10) /* bytes of one field that are shown */
#define MATCH_RUN "RYUSO_RUN="
#define PATH_SIZE 128

void journal_done(Journal *journal)
{
	sd_journal_close(take_ptr(journal->journal));
}

void journal_entry_done(JournalEntry *entry)
{
	free(take_ptr(entry->message));
	json_object_put(take_ptr(entry->fields));
}

int journal_open(const char *run, Journal *ret)
{
	_cleanup_journal_ Journal journal = {};
	_cleanup_buffer_ Buffer match = {};
	int r;

	buffer_text(&match, MATCH_RUN);
	buffer_text(&match, run);
	r = buffer_error(&match);
	if (r >= 0)
		r = sd_journal_open(&journal.journal, SD_JOURNAL_LOCAL_ONLY);
	if (r >= 0)
		r = sd_journal_set_data_threshold(journal.journal, FIELD_MAX);
	if (r >= 0)
		r = sd_journal_add_match(journal.journal, match.data, match.size);
	if (r >= 0)
		r = sd_journal_seek_head(journal.journal);
	if (r < 0)
		return r;
	ret->journal = take_ptr(journal.journal);
	return 0;
}

static bool is_one_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

/** \brief What the entry says of the run as a whole: outcomes of hooks have other names. */
static void note_ending(JournalEntry *entry, const char *name, const char *value)
{
	static const char *const ends[] = { "succeeded", "rectified", "settled", "refused" };

	if (strcmp(name, "RYUSO_OUTCOME") == 0)
		entry->ended = is_one_of(value, ends, ELEMENTSOF(ends));
}

static int add_field(JournalEntry *entry, char *name, const char *value, size_t size)
{
	_cleanup_buffer_ Buffer text = {};
	struct json_object *json;
	char *copy;

	text_escape(value, size, FIELD_MAX, &text);
	copy = buffer_take_text(&text);
	if (!copy)
		return -ENOMEM;
	note_ending(entry, name, copy);
	if (strcmp(name, "PRIORITY") == 0)
		entry->priority = atoi(copy);
	json = json_object_new_string(copy);
	if (strcmp(name, "MESSAGE") == 0 && !entry->message)
		entry->message = take_ptr(copy);
	free(copy);
	return json && json_object_object_add(entry->fields, name, json) == 0 ? 0 : -ENOMEM;
}

static int take_field(JournalEntry *entry, const char *data, size_t size)
{
	const char *equals = memchr(data, '=', size);
	_cleanup_free_ char *name = NULL;

	if (!equals || data[0] == '_')
		return 0;
	name = strndup(data, (size_t)(equals - data));
	return name ? add_field(entry, name, equals + 1, size - (size_t)(equals + 1 - data)) : -ENOMEM;
}

static int read_entry(struct sd_journal *journal, JournalEntry *ret)
{
	_cleanup_journal_entry_ JournalEntry entry = { .priority = 6 };
	const void *data;
	size_t size;
	int r;

	entry.fields = json_object_new_object();
	r = entry.fields ? sd_journal_get_realtime_usec(journal, &entry.usec) : -ENOMEM;
	SD_JOURNAL_FOREACH_DATA(journal, data, size)
	if (r >= 0)
		r = take_field(&entry, data, size);
	if (r < 0)
		return r;
	*ret = entry;
	entry = (JournalEntry){};
	return 1;
}

int journal_next(Journal *journal, JournalEntry *ret)
{
	int r;

	r = sd_journal_next(journal->journal);
	return r <= 0 ? r : read_entry(journal->journal, ret);
}

int journal_wait(Journal *journal)
{
	struct pollfd items[] = { { .fd = sd_journal_get_fd(journal->journal),
				    .events = (short)sd_journal_get_events(journal->journal) },
				  { .fd = interrupt_fd(), .events = POLLIN } };

	if (items[0].fd < 0)
		return items[0].fd;
	if (poll(items, ELEMENTSOF(items), -1) < 0 && errno != EINTR)
		return -errno;
	if (interrupt_pending())
		return -EINTR;
	return sd_journal_process(journal->journal);
}

int journal_check_access(void)
{
	static const char *const places[] = { "/var/log/journal/", "/run/log/journal/" };
	char machine[SD_ID128_STRING_MAX], path[PATH_SIZE];
	sd_id128_t id;
	int found = -ENOENT;

	if (sd_id128_get_machine(&id) < 0)
		return 0;
	sd_id128_to_string(id, machine);
	for (size_t i = 0; i < ELEMENTSOF(places); i++) {
		snprintf(path, sizeof(path), "%s%s/system.journal", places[i], machine);
		if (access(path, R_OK) == 0)
			return 0;
		if (errno == EACCES)
			found = -EACCES;
	}
	return found;
}
