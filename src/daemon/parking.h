/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parked runs, and what operators decide about them (rules 17, 43). A decision is committed before it is answered; then
 * the run is taken from the ledger, whole, and goes to the head of the queue as an UNPARK order; the ledger keeps it as
 * parked, with the decision to be done, until the recorder holds it durably again. */
#pragma once

#include "daemon/crew.h"
#include "daemon/promises.h"

typedef struct Parking {
	const Config *config;
	const char *directory; /* of the state */
	Crew *crew;
	Queue *queue;
	Promises *promises;
	Trace *trace;
	bool again; /* something that was decided could not be taken up yet, or a resumption not be written */
} Parking;

/** \brief Whether that can be decided now. -EBADMSG with \p error: NoSuchRun, WrongState (the sentence says where the run
 * is, and what can be done), NoModule, StoreDamaged; -ENOMEM. Where it can be, ledger and module agree to it. */
int parking_check(Parking *parking, const LedgerDecision *decision, Error *error);
/** \brief Begins a decision; \p done is called when it is durable (0: then the run is on its way) or was not (-ENOENT,
 * -ESTALE, -EBUSY …). -EBADMSG with \p error where it is refused at once, as by parking_check(). */
int parking_decide(Parking *parking, const LedgerDecision *decision, LedgerDone done, void *context, Error *error);
/** \brief Takes up what was decided and not done before the daemon started. */
int parking_restore(Parking *parking);
/** \brief The same for what could not be taken up so far. Once per pulse. */
void parking_retry(Parking *parking);
/** \brief The recorder holds \p run durably again: the crew has read its decision, and it is synced. */
void parking_resumed(Parking *parking, Run *run);
/** \brief No worker can take up \p run, which was unparked and has not begun again: it parks anew, as ModuleChanged, with
 * the records that it had. Takes it. */
void parking_failed(Parking *parking, Run *run);
/** \brief Whether runs are held back because one is parked (OnParked=hold). */
bool parking_holds(const Parking *parking);
/** \brief An operator holds the queue, or lets it go on: holds when it is durable, and then \p done is called. */
int parking_hold(Parking *parking, const LedgerHold *hold, LedgerDone done, void *context);
/** \brief `show RUN`, and `retry --dry-run`: adds what is known of a parked run (tell/account.h; where its plan is not
 * to be had, what its reply says). -EBADMSG with \p error: it is not parked, or cannot be read. */
int parking_describe(Parking *parking, const Id *run, struct json_object *object, Error *error);
/** \brief The same of the module that a run is pinned to: "name", "build_id", "identity", "current", "available". A new
 * object, or NULL. \p build_id: where the module is not known; or NULL. */
struct json_object *parking_describe_module(Parking *parking, const Id *identity, const char *build_id);
/** \brief For the service manager's status: "2 runs are parked: ryusoctl parked"; 0 where none is. As snprintf(). */
int parking_summary(const Parking *parking, char *text, size_t size);
