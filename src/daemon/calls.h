/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls: by name, each with its parameters and a function that makes the result. Like everything else they are answered
 * in the order of their connection. Most are at once; those that wait for something (a run's end, a disk) keep their
 * slot, and are answered when it has come. Operators' calls are refused to others; of runs, everybody but an operator
 * sees their own. */
#pragma once

#include "daemon/parking.h"
#include "wire/request.h"

typedef struct Deferred Deferred;

typedef struct Calls {
	const char *instance;
	Crew *crew;
	Parking *parking;
	struct Reload *reload;
	const Clients *clients;
	const Metrics *metrics;
	const uint64_t *n_refused;
	const char *(*state)(void *context, const char **ret_message); /* "running", "no-module", … */
	void *context;
	Access operators; /* owned, as what follows */
	TAILQ_HEAD(, Deferred) deferred;
} Calls;

/** \brief The rest; what is borrowed is set before. May wait for the system's name service. */
int calls_init(Calls *calls);
/** \brief Who is an operator is looked up anew, as at the start. -ENOMEM: it stays as it was. */
int calls_admit(Calls *calls);
/** \brief After crew and promises are done, which call back. */
void calls_done(Calls *calls);
void calls_answer(Calls *calls, Client *client, Request *request);
/** \brief A call that could not be read: answered as calls are, not as requests for programs. Takes \p id_text. */
void calls_refuse(Client *client, char *id_text, const Error *error);
