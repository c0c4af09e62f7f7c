/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager_private.h"

static void on_settings_changed(void *context)
{
	manager_rest_anew(context);
}

void manager_set_up_reload(Manager *manager)
{
	const ReloadSetup setup = {
		.files = options_config(&manager->options),
		.config = &manager->config,
		.clients = &manager->clients,
		.crew = &manager->crew,
		.intake = &manager->intake,
		.calls = &manager->calls,
		.promises = &manager->promises,
		.trace = &manager->trace,
		.on_changed = on_settings_changed,
		.context = manager,
	};

	reload_init(&manager->reload, &setup);
}

int on_reload_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	Manager *manager = userdata;

	(void)source;
	(void)info;
	if (!manager->stopping)
		reload_begin(&manager->reload, NULL, NULL);
	manager_turn(manager);
	return 0;
}
