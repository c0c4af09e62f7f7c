/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctl/member.h"
#include "ctl/output.h"

void progress_done(Progress *progress)
{
	free(take_ptr(progress->hook));
}

void progress_begin(Progress *progress, uint64_t now)
{
	free(take_ptr(progress->hook));
	*progress = (Progress){ .since_usec = now };
}

static int set(Progress *progress, struct json_object *json, bool rectifying)
{
	const char *hook = member_text(json, "hook");
	char *copy = hook ? strdup(hook) : NULL;

	if (hook && !copy)
		return -ENOMEM;
	free(progress->hook);
	progress->hook = copy;
	progress->known = true;
	progress->rectifying = rectifying;
	progress->step = member_int(json, "step");
	progress->steps = member_int(json, "steps");
	progress->attempt = member_int(json, "attempt");
	return 0;
}

static bool is_word(struct json_object *json, const char *name, const char *word)
{
	const char *found = member_text(json, name);

	return found && strcmp(found, word) == 0;
}

int progress_event(Progress *progress, struct json_object *event, uint64_t now)
{
	bool rectifying = is_word(event, "event", "rectifier") || is_word(event, "state", "rectifying");
	int64_t usec = member_int(event, "usec");
	int r;

	r = set(progress, event, rectifying);
	if (r >= 0 && usec > 0 && (uint64_t)usec < now)
		progress->since_usec = now - (uint64_t)usec;
	return r;
}

int progress_running(Progress *progress, struct json_object *running)
{
	progress->known = false;
	return running ? set(progress, running, is_word(running, "phase", "rectifier")) : 0;
}

/** \brief Appends \p size bytes of \p line, cut behind \p width characters. */
static void append_cut(const char *line, size_t size, size_t width, Buffer *text)
{
	size_t at = 0;

	for (size_t i = 0; i < width && at < size; i++) {
		size_t length = text_utf8_length(line + at, size - at);

		at += length ? length : 1;
	}
	buffer_append(text, line, at);
}

void progress_write(const Progress *progress, uint64_t now, size_t width, bool utf8, Buffer *text)
{
	_cleanup_buffer_ Buffer line = {};

	if (!progress->known || buffer_error(text) < 0)
		return;
	if (utf8)
		buffer_text(&line, progress->rectifying ? "↩ " : "… ");
	else
		buffer_text(&line, progress->rectifying ? "rectifier " : "hook ");
	buffer_format(&line, "%" PRIi64 "/%" PRIi64, progress->step, progress->steps);
	if (progress->hook) {
		buffer_text(&line, " ");
		output_escape(progress->hook, &line);
		if (progress->attempt > 1)
			buffer_format(&line, " (attempt %" PRIi64 ")", progress->attempt);
	}
	buffer_text(&line, utf8 ? "  " : progress->hook ? ": running (" : ": waiting (");
	output_duration(now > progress->since_usec ? now - progress->since_usec : 0, &line);
	buffer_text(&line, utf8 ? "" : ")");
	if (buffer_error(&line) < 0)
		text->failed = true;
	else
		append_cut((const char *)line.data, line.size, width, text);
}
