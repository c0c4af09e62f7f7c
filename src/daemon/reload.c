/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/modules_tidy.h"
#include "daemon/notify.h"

struct ReloadWaiter {
	TAILQ_ENTRY(ReloadWaiter) entry;
	ReloadDone done;
	void *context;
};

void reload_init(Reload *reload, const ReloadSetup *setup)
{
	*reload = (Reload){ .setup = *setup };
	TAILQ_INIT(&reload->now);
	TAILQ_INIT(&reload->later);
}

static void waiters_free(struct ReloadWaiters *waiters)
{
	ReloadWaiter *waiter;

	while ((waiter = TAILQ_FIRST(waiters))) {
		TAILQ_REMOVE(waiters, waiter, entry);
		free(waiter);
	}
}

void reload_done(Reload *reload)
{
	if (!reload->setup.config)
		return;
	waiters_free(&reload->now);
	waiters_free(&reload->later);
	config_done(&reload->next);
}

/* ---- what is said ---- */

static void list_settings(const bool *which, const char *before, Buffer *text)
{
	const char *between = before;

	for (size_t i = 0; i < config_count(); i++) {
		if (!which[i])
			continue;
		buffer_format(text, "%s%s=", between, config_name(i));
		between = ", ";
	}
}

static void say_done(const Reload *reload)
{
	const ReloadReport *report = &reload->report;
	const Catalog *catalog = reload->setup.crew->catalog;
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *line = NULL;

	list_settings(report->changed, "; changed: ", &text);
	list_settings(report->waiting, "; from the next start on: ", &text);
	if (report->other_module && catalog)
		buffer_format(&text, "; module %s is build %s now", catalog->spec->module, catalog->build_id);
	if (report->refit.fitted > 0 || report->refit.refused > 0)
		buffer_format(&text, "; of the runs that wait, %zu go to it, %zu do not fit it and were refused",
			      report->refit.fitted, report->refit.refused);
	line = buffer_take_text(&text);
	log_notice("the settings were read again%s", line ? line : "");
}

static void tell_waiters(Reload *reload, const Error *error)
{
	ReloadWaiter *waiter;

	while ((waiter = TAILQ_FIRST(&reload->now))) {
		TAILQ_REMOVE(&reload->now, waiter, entry);
		waiter->done(waiter->context, &reload->report, error);
		free(waiter);
	}
}

static void reload_start(Reload *reload);

static void reload_end(Reload *reload, const Error *error)
{
	bool again = reload->again;

	if (error)
		log_error("the settings were not read again: %s", error->message ? error->message : "out of memory");
	else
		say_done(reload);
	if (!reload->setup.crew->stopping)
		notify_ready();
	tell_waiters(reload, error);
	config_done(&reload->next);
	reload->under_way = reload->again = false;
	TAILQ_CONCAT(&reload->now, &reload->later, entry);
	if (again)
		reload_start(reload);
}

static void reload_fail(Reload *reload, ErrorCode code, const char *format, const char *text)
{
	_cleanup_error_ Error error = { 0 };

	error_set(&error, code, NULL, format, text);
	reload_end(reload, &error);
}

/* ---- what is done ---- */

/* Users and groups may have been made, or have other numbers, since. */
static void look_up_names(const Reload *reload)
{
	Catalog *catalog = reload->setup.crew->catalog;
	int r;

	r = calls_admit(reload->setup.calls);
	if (r >= 0 && catalog)
		r = catalog_admit(catalog);
	if (r < 0)
		log_warning("users and groups could not all be looked up anew: %s; those of before are admitted",
			    strerror(-r));
}

/* All parts look into the one Config; what they keep of it they are told. */
static void use_settings(Reload *reload)
{
	const ReloadSetup *setup = &reload->setup;

	for (size_t i = 0; i < config_count(); i++)
		reload->report.changed[i] = !config_same(setup->config, &reload->next, i);
	config_done(setup->config);
	*setup->config = TAKE(reload->next, (Config){ 0 });
	setup->trace->level = setup->config->trace;
	setup->promises->forget_at_usec = 0;
	promises_check(setup->promises, clock_monotonic());
	clients_limit(setup->clients);
	look_up_names(reload);
	setup->on_changed(setup->context);
}

/* CrewChanged */
static void on_module(void *context, const char *problem, bool other)
{
	Reload *reload = context;
	bool stopping = reload->setup.crew->stopping;

	if (problem) {
		reload_fail(reload, stopping ? ERROR_SHUTTING_DOWN : ERROR_NO_MODULE, "%s; nothing has changed",
			    problem);
		return;
	}
	use_settings(reload);
	reload->report.other_module = other;
	if (reload->setup.intake->queue->stale)
		reload->report.refit = intake_refit(reload->setup.intake);
	if (other)
		modules_tidy(reload->setup.crew, reload->setup.promises);
	reload_end(reload, NULL);
}

/* CrewChanged, where there was none before: the settings count already. */
static void on_first_module(void *context, const char *problem, bool other)
{
	Reload *reload = context;

	reload->report.other_module = other;
	if (problem)
		reload_fail(reload, ERROR_NO_MODULE, "%s; the settings count all the same", problem);
	else
		reload_end(reload, NULL);
}

static void change_module(Reload *reload)
{
	Crew *crew = reload->setup.crew;
	_cleanup_free_ char *problem = NULL;
	bool first = !crew->catalog;
	int r;

	if (first)
		use_settings(reload);
	r = crew_change(crew, first ? reload->setup.config : &reload->next, first ? on_first_module : on_module, reload,
			&problem);
	if (r > 0)
		return;
	if (r == -EAGAIN || r == 0) {
		if (!first)
			use_settings(reload);
		reload_end(reload, NULL);
		return;
	}
	reload_fail(reload, ERROR_NO_MODULE, first ? "%s; the settings count all the same" : "%s; nothing has changed",
		    problem ? problem : "out of memory");
}

/* The first error stands for all; the journal has each. */
static void refuse_files(Reload *reload, const ConfigLoaded *loaded)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *message = NULL;

	for (size_t i = 0; i < loaded->n_errors; i++)
		log_warning("%s", loaded->errors[i]);
	buffer_text(&text, loaded->errors[0]);
	if (loaded->n_errors > 1)
		buffer_format(&text, " (and %zu more: see the journal, or ryusod --check-config)",
			      loaded->n_errors - 1);
	message = buffer_take_text(&text);
	reload_fail(reload, ERROR_BAD_CONFIG, "%s; nothing has changed", message ? message : "out of memory");
}

static void take_files(Reload *reload, ConfigLoaded *loaded)
{
	const Config *config = reload->setup.config;

	reload->next = TAKE(loaded->config, (Config){ 0 });
	for (size_t i = 0; i < config_count(); i++)
		reload->report.waiting[i] = config_lasts(i) && !config_same(config, &reload->next, i);
	config_keep_lasting(&reload->next, config);
	change_module(reload);
}

static void reload_start(Reload *reload)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	int r;

	reload->under_way = true;
	reload->report = (ReloadReport){ 0 };
	if (reload->setup.crew->stopping) {
		reload_fail(reload, ERROR_SHUTTING_DOWN, "%s; nothing has changed", "the daemon is stopping");
		return;
	}
	notify_reloading();
	r = config_load(&reload->setup.files, &loaded);
	if (r < 0 && reload->setup.files.file)
		reload_fail(reload, ERROR_BAD_CONFIG,
			    r == -ENOENT ? "%s: expected the file of --config; got none; nothing "
					   "has changed"
					 : "%s: it cannot be read; nothing has changed",
			    reload->setup.files.file);
	else if (r < 0)
		reload_fail(reload, ERROR_BAD_CONFIG, "the files cannot be read: %s; nothing has changed",
			    strerror(-r));
	else if (loaded.n_errors > 0)
		refuse_files(reload, &loaded);
	else
		take_files(reload, &loaded);
}

int reload_begin(Reload *reload, ReloadDone done, void *context)
{
	ReloadWaiter *waiter = NULL;

	if (done) {
		waiter = malloc(sizeof(*waiter));
		if (!waiter)
			return -ENOMEM;
		*waiter = (ReloadWaiter){ .done = done, .context = context };
	}
	if (waiter && reload->under_way)
		TAILQ_INSERT_TAIL(&reload->later, waiter, entry);
	else if (waiter)
		TAILQ_INSERT_TAIL(&reload->now, waiter, entry);
	if (reload->under_way)
		reload->again = true;
	else
		reload_start(reload);
	return 0;
}
