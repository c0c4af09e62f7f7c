/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/interrupt.h"
#include "ctl/journal.h"
#include "ctl/lookup.h"
#include "ctl/pager.h"

#define PRIORITY_ERR 3
#define PRIORITY_WARNING 4

static Colour priority_colour(int priority)
{
	if (priority <= PRIORITY_ERR)
		return COLOUR_BAD;
	return priority == PRIORITY_WARNING ? COLOUR_WARN : COLOUR_NONE;
}

static void write_fields(const JournalEntry *entry, Buffer *text)
{
	json_object_object_foreach(entry->fields, name, value)
	{
		if (strcmp(name, "MESSAGE") == 0)
			continue;
		buffer_format(text, "    %s=%s\n", name, json_object_get_string(value));
	}
}

/** \brief "2026-11-24 10:00:00.123 transfer: step 1 of 3, hook debit: ok" */
static void write_line(const Ctl *ctl, const JournalEntry *entry, Buffer *text)
{
	Colour colour = priority_colour(entry->priority);
	bool coloured = ctl->output.colour && colour != COLOUR_NONE;

	output_moment(entry->usec, text);
	buffer_format(text, ".%03u %s", (unsigned)(entry->usec % USEC_PER_SEC / USEC_PER_MSEC),
		      output_colour(coloured, colour));
	buffer_text(text, entry->message ? entry->message : "(an entry without a message)");
	buffer_format(text, "%s\n", output_colour(coloured, COLOUR_NONE));
	if (ctl->options.given & OPTION_VERBOSE)
		write_fields(entry, text);
}

/** \brief {"usec","priority","message","fields"} */
static int write_json(const Ctl *ctl, const JournalEntry *entry, Buffer *text)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_int(&draft, "usec", (int64_t)entry->usec);
	draft_int(&draft, "priority", entry->priority);
	draft_text(&draft, "message", entry->message ? entry->message : "");
	draft_add(&draft, "fields", json_object_get(entry->fields));
	r = draft_take(&draft, &json);
	if (r >= 0)
		output_json(json, ctl->options.json, text);
	return r;
}

static int show(const Ctl *ctl, const JournalEntry *entry)
{
	_cleanup_buffer_ Buffer text = {};
	int r = 0;

	if (ctl->options.json != JSON_STYLE_NONE)
		r = write_json(ctl, entry, &text);
	else
		write_line(ctl, entry, &text);
	if (r >= 0)
		r = buffer_error(&text);
	if (r >= 0)
		ctl_put(ctl, &text);
	return r;
}

/** \brief Shows all that there is now: how many were shown in \p n, and whether the run has ended in \p ret_ended. */
static int show_all(const Ctl *ctl, Journal *journal, size_t *n, bool *ret_ended)
{
	int r;

	for (;;) {
		_cleanup_journal_entry_ JournalEntry entry = {};

		r = journal_next(journal, &entry);
		if (r <= 0)
			break;
		r = show(ctl, &entry);
		if (r < 0 || ferror(stdout))
			break;
		(*n)++;
		*ret_ended |= entry.ended;
	}
	fflush(stdout);
	return r;
}

static int explain_closed(const Ctl *ctl)
{
	const struct passwd *user = getpwuid(geteuid());

	return ctl_complain(
		ctl, EXIT_DENIED,
		"not allowed to read the system's journal\n"
		"  %-8s ask root, or add yourself:  usermod -aG systemd-journal %s  (as root; then log in again)",
		"next", user ? user->pw_name : "USER");
}

static int explain_none(const Ctl *ctl, const char *run)
{
	int r = journal_check_access();

	if (r == -EACCES)
		return explain_closed(ctl);
	if (r == -ENOENT)
		return ctl_complain(
			ctl, EXIT_REFUSED,
			"this machine has no journal\n"
			"  %-8s a daemon that is not run by systemd writes to its standard error: look there",
			"next");
	return ctl_complain(ctl, EXIT_REFUSED,
			    "the journal has no entry of run %s\n"
			    "  %-8s older entries may be gone; Trace= in ryuso.conf decides what is written;\n"
			    "  %-8s a daemon that was started by hand may write to its standard error instead",
			    run, "next", "");
}

static int explain_broken(const Ctl *ctl, int error)
{
	if (error == -ENOMEM)
		return ctl_complain_errno(ctl, error);
	return ctl_complain(ctl, EXIT_BROKEN, "cannot read the journal: %s\n  %-8s see:  journalctl --verify",
			    strerror(-error), "next");
}

static int follow(const Ctl *ctl, Journal *journal, size_t *n, bool ended)
{
	int r = 0;

	while (r >= 0 && !ended && !ferror(stdout)) {
		r = journal_wait(journal);
		if (r >= 0)
			r = show_all(ctl, journal, n, &ended);
	}
	return r == -EINTR ? 0 : r;
}

static int show_log(const Ctl *ctl, const char *run)
{
	bool following = ctl->options.follow, ended = false;
	_cleanup_journal_ Journal journal = {};
	size_t n = 0;
	int r;

	r = following ? interrupt_watch() : 0;
	if (r >= 0)
		r = journal_open(run, &journal);
	if (r >= 0)
		r = show_all(ctl, &journal, &n, &ended);
	if (r >= 0 && following && (n > 0 || journal_check_access() >= 0))
		r = follow(ctl, &journal, &n, ended);
	if (r < 0)
		return explain_broken(ctl, r);
	return n > 0 || interrupt_pending() ? EXIT_SUCCEEDED : explain_none(ctl, run);
}

int verb_log(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_free_ char *run = NULL;
	int r;

	(void)n;
	r = lookup_run(ctl, arguments[0], LOOKUP_ANY, &run);
	if (r != 0)
		return r;
	if (!ctl->options.follow)
		pager_open(ctl);
	return show_log(ctl, run);
}
