/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reload`: settings and module anew. It is answered when they are in use, or it is known why they are not. */
#include <errno.h>

#include "daemon/calls_private.h"
#include "daemon/reload.h"

static struct json_object *list_settings(const bool *which)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < config_count(); i++)
		if (which[i])
			list = members_append(list, json_object_new_string(config_name(i)));
	return list;
}

/* ReloadDone */
static void on_reloaded(void *context, const ReloadReport *report, const Error *error)
{
	Deferred *deferred = context;
	const Crew *crew = deferred->calls->crew;
	Members members;

	if (error) {
		deferred_refuse(deferred, error);
		return;
	}
	members_begin(&members);
	members_add(&members, "changed", list_settings(report->changed));
	members_add(&members, "at_next_start", list_settings(report->waiting));
	members_bool(&members, "other_module", report->other_module);
	if (crew->catalog)
		members_add(&members, "module", describe_module(crew, crew->catalog->n_programs));
	members_int(&members, "fitted", report->refit.fitted);
	members_int(&members, "refused", report->refit.refused);
	deferred_answer(deferred, members_end(&members));
}

int call_reload(Ask *ask, struct json_object **ret, Error *error)
{
	Deferred *deferred = NULL;
	int r;

	(void)ret;
	(void)error;
	r = deferred_new(ask, &deferred);
	if (r < 0)
		return r;
	r = reload_begin(ask->calls->reload, on_reloaded, deferred);
	if (r >= 0)
		return CALL_LATER;
	deferred_drop(deferred);
	return r;
}
