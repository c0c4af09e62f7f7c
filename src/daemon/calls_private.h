/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between calls.c (the table, parameters, answers that come later) and the files of functions: calls_look.c and
 * calls_catalog.c (what is), calls_metrics.c (what has been), calls_runs.c, calls_history.c, calls_show.c and
 * calls_wait.c (runs), calls_cancel.c, calls_operator.c (what operators decide). A function makes a new object in
 * \p ret and returns 0; or returns CALL_LATER: it has seen to it that the slot
 * is answered; or -EBADMSG with \p error; or another negative errno: then the connection is closed. */
#pragma once

#include "daemon/calls.h"
#include "daemon/members.h"

#define CALL_PARAMETERS_MAX 5U
#define CALL_LATER 1

/** \brief One call that is to be answered. */
typedef struct Ask {
	Calls *calls;
	Client *client;
	Slot *slot;
	const struct CallKind *kind;
	struct json_object *values[CALL_PARAMETERS_MAX]; /* borrowed; in the order of the kind's parameters; or NULL */
} Ask;

bool ask_has(const Ask *ask, const char *parameter);
/** \brief NULL, 0, false: it is not there. */
const char *ask_text(const Ask *ask, const char *parameter);
int64_t ask_int(const Ask *ask, const char *parameter);
bool ask_bool(const Ask *ask, const char *parameter);
/** \brief The parameter "run". */
int ask_run(const Ask *ask, Id *ret, Error *error);
/** \brief Whether who asks may use the operators' calls. */
bool ask_is_operator(const Ask *ask);
/** \brief Whether who asks may know of a run of \p uid's. */
static inline bool ask_may_see(const Ask *ask, uint32_t uid)
{
	return uid == ask->client->peer.uid || ask_is_operator(ask);
}

/** \brief The end of a function: the members as the result. */
int ask_result(Members *members, struct json_object **ret);

int call_describe(Ask *ask, struct json_object **ret, Error *error);
int call_list(Ask *ask, struct json_object **ret, Error *error);
int call_metrics(Ask *ask, struct json_object **ret, Error *error);
int call_ping(Ask *ask, struct json_object **ret, Error *error);
int call_status(Ask *ask, struct json_object **ret, Error *error);
int call_wait(Ask *ask, struct json_object **ret, Error *error);
int call_watch(Ask *ask, struct json_object **ret, Error *error);
int call_runs(Ask *ask, struct json_object **ret, Error *error);
int call_parked(Ask *ask, struct json_object **ret, Error *error);
int call_show(Ask *ask, struct json_object **ret, Error *error);
int call_cancel(Ask *ask, struct json_object **ret, Error *error);
int call_retry(Ask *ask, struct json_object **ret, Error *error);
int call_skip(Ask *ask, struct json_object **ret, Error *error);
int call_confirm(Ask *ask, struct json_object **ret, Error *error);
int call_hold(Ask *ask, struct json_object **ret, Error *error);
int call_resume(Ask *ask, struct json_object **ret, Error *error);
int call_reload(Ask *ask, struct json_object **ret, Error *error);

/** \brief An answer that comes later. Whoever calls back answers it once; what is between that and the client (which may
 * go away) is seen to. */
struct Deferred {
	TAILQ_ENTRY(Deferred) entry;
	Calls *calls;
	Slot *slot; /* NULL: the client has gone */
	uid_t uid;  /* who asked */
	Id run;     /* of those that are about one */
	Run *taken; /* owned: a queued run that is being cancelled; or NULL */
	const char *verb;
	uint32_t step;
	bool now, held;
	uint64_t moved_usec; /* of a decision: see calls_moved_usec() */
};

/** \brief Takes the ask's slot. -ENOMEM. */
int deferred_new(Ask *ask, Deferred **ret);
/** \brief Each frees it. \p result is taken; NULL: it could not be made. */
void deferred_answer(Deferred *deferred, struct json_object *result);
void deferred_refuse(Deferred *deferred, const Error *error);
/** \brief Nothing is to be answered: the ask goes on at once, or is refused at once. Gives the slot back. */
void deferred_drop(Deferred *deferred);

/** \brief Where a run is, of those in memory. */
typedef enum RunPlace {
	PLACE_NONE,
	PLACE_PROMISES,
	PLACE_QUEUE,
	PLACE_CREW,
	PLACE_OUTCOMES,
} RunPlace;

/** \brief As many as `parked` lists. -ENODATA: nobody knows: the store is not open, or damaged. */
int calls_count_parked(const Calls *calls, uint64_t *ret);
RunPlace calls_find(const Calls *calls, const Id *id, Run **ret);
/** \brief "queued", "running", "succeeded" … */
const char *calls_status(const Run *run, RunPlace place);
/** \brief The same, but "rectifying" for what is on its way back. */
const char *calls_state(const Run *run, RunPlace place);
/** \brief Of one that is in the ledger alone. */
const char *ledger_run_status(const LedgerRun *run);
/** \brief The same for who asks; -EBADMSG with NoSuchRun where there is none for them, in the ledger neither. \p ret_run
 * NULL: it is in the ledger alone. */
int ask_find(const Ask *ask, const Id *id, Run **ret_run, RunPlace *ret_place, LedgerFound *ret_found, Error *error);
/** \brief Of a run that parked at \p parked_usec: when the store was found to have been elsewhere since then, where it
 * may have been decided about, too. 0: it was not. */
uint64_t calls_moved_usec(const Calls *calls, uint64_t parked_usec);
/** \brief Before the store is open, or where it cannot be, nobody knows which runs there are: -EBADMSG with Recovering,
 * StoreBusy or StoreDamaged. */
int calls_check_store(const Calls *calls, Error *error);
/** \brief The ledger cannot be looked into: -EBADMSG, or -ENOMEM. */
int ledger_trouble(const Calls *calls, int r, Error *error);
/** \brief The module in use, where there is one: a new object, or NULL. */
struct json_object *describe_module(const Crew *crew, size_t n_programs);
/** \brief What the run in hand is at: a new object, or NULL. */
struct json_object *describe_running(const Run *run);
