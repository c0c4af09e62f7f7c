/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operator calls: by name, each with a function that makes the result. They are answered at once, in the order of their
 * connection like everything else. A call never waits for a run. */
#pragma once

#include "daemon/crew.h"
#include "wire/request.h"

typedef struct Calls {
	const char *instance;
	Crew *crew;
	const Clients *clients;
	const uint64_t *n_refused;
	const char *(*state)(void *context, const char **ret_message); /* "running", "no-module", … */
	void *context;
} Calls;

void calls_answer(const Calls *calls, Client *client, Request *request);
