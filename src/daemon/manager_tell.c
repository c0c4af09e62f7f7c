/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STATUS= for the service manager: at most once a second, where something has changed. A turn of the loop compares a few
 * numbers; the text is written at a pulse of the clock. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/manager_private.h"
#include "daemon/notify.h"

static void text_add(Buffer *text, const char *separator, const char *part)
{
	buffer_text(text, separator);
	buffer_text(text, part);
}

static void add_runs(const Manager *manager, Buffer *text)
{
	const Run *run = manager->crew.current;
	uint64_t waiting = manager_waiting(manager);

	if (run)
		buffer_format(text, "; %s %s", run->program->spec->name,
			      run->call.rectifying ? "is being rectified" : "runs");
	if (waiting == 1)
		buffer_text(text, "; 1 run waits");
	else if (waiting > 1)
		buffer_format(text, "; %" PRIu64 " runs wait", waiting);
}

static void write_status(const Manager *manager, char ret[static NOTIFY_STATUS_MAX])
{
	const Crew *crew = &manager->crew;
	_cleanup_buffer_ Buffer text = { 0 }, line = { 0 };
	const char *message = NULL;
	char parked[96 + TRACE_COMMAND_MAX];

	buffer_text(&text, manager_state((void *)manager, &message));
	if (message)
		text_add(&text, ": ", message);
	else if (crew->catalog)
		buffer_format(&text, ": %s, %zu programs", crew->catalog->spec->name, crew->catalog->n_programs);
	add_runs(manager, &text);
	if (parking_summary(&manager->parking, parked, sizeof(parked)) > 0)
		text_add(&text, "; ", parked);
	text_escape((const char *)text.data, text.size, NOTIFY_STATUS_MAX / 2, &line);
	snprintf(ret, NOTIFY_STATUS_MAX, "%.*s", (int)line.size, line.size > 0 ? (const char *)line.data : "");
}

/* What the text depends on, but for numbers that go with these. */
static Told look(const Manager *manager)
{
	const Crew *crew = &manager->crew;
	const char *message;

	return (Told){
		.state = manager_state((void *)manager, &message),
		.catalog = crew->catalog,
		.program = crew->current ? crew->current->program : NULL,
		.rectifying = crew->current && crew->current->call.rectifying,
		.waiting = manager_waiting(manager),
		.parked = manager->promises.n_parked,
	};
}

static bool told_equal(const Told *a, const Told *b)
{
	return a->state == b->state && a->catalog == b->catalog && a->program == b->program &&
	       a->rectifying == b->rectifying && a->waiting == b->waiting && a->parked == b->parked;
}

static void tell(Manager *manager, uint64_t now_usec)
{
	char text[NOTIFY_STATUS_MAX];

	manager->tell_due = false;
	manager->told = look(manager);
	write_status(manager, text);
	if (strcmp(text, manager->told_text) == 0)
		return;
	strcpy(manager->told_text, text);
	manager->told_usec = now_usec;
	notify_status(text);
}

void manager_tell(Manager *manager)
{
	Told now;

	if (manager->tell_due)
		return;
	now = look(manager);
	if (told_equal(&now, &manager->told))
		return;
	manager->tell_due = true;
	if (now.state != manager->told.state)
		tell(manager, clock_monotonic());
}

void manager_tell_again(Manager *manager, uint64_t now_usec)
{
	if (manager->tell_due && now_usec - manager->told_usec >= MANAGER_TELL_USEC)
		tell(manager, now_usec);
}
