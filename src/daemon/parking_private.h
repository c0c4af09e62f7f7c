/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between parking.c (decisions), parking_run.c (a parked run, whole, and whether it can be taken up), parking_take.c (it
 * is taken up, or parks anew) and parking_show.c. */
#pragma once

#include "daemon/parking.h"
#include "run/replay.h"

/** \brief A parked run as the ledger holds it, or, on its way there, memory. Everything is owned. */
typedef struct ParkedRun {
	Id id, module, fingerprint;
	char *program, *build_id, *request_id; /* or NULL */
	uint32_t uid, gid, pid;
	uint32_t flags; /* LEDGER_FLAG_… */
	uint32_t step;  /* at which it stands */
	uint64_t submitted_usec;
	bool promised;
	ErrorCode error;
	Buffer records, reply;
} ParkedRun;

/** \brief -ENOENT: there is no such run; -ESTALE: it is not parked, or not yet for all to see. */
int parked_run_load(const Parking *parking, const Id *id, ParkedRun *ret);
void parked_run_done(ParkedRun *run);
#define _cleanup_parked_run_ _cleanup_(parked_run_done)

/** \brief Its START record; borrowed from its records. -EBADMSG. */
int parked_run_start(const ParkedRun *run, RecordStart *ret);
/** \brief Its reply as a tree; NULL where there is none, or memory is short. */
struct json_object *parked_run_reply(const ParkedRun *run);

/** \brief What it is taken up with: the module it is pinned to, or the one in use now. NULL: nothing is known of it. */
const Catalog *parked_run_catalog(const Parking *parking, const ParkedRun *run, uint32_t flags);
/** \brief Replays it in the plan that \p catalog has of its program: -ENOENT: there is no such program; -EBADMSG: the
 * records do not hold, or do not fit. */
int parked_run_replay(const ParkedRun *run, const Catalog *catalog, Replay *ret);
/** \brief The same with another module's \p catalog than it began with. Records name their calls by number alone: they
 * may replay in a plan in which these mean something else. -EBADMSG also where a call that was made is not the same call
 * there, and where nothing is known of the module that it began with. */
int parked_run_fits(const Parking *parking, const ParkedRun *run, const Catalog *catalog, Replay *ret);
/** \brief Whether nobody can go on with it: nothing is known of its module, or its records do not replay in its plan. All
 * that an operator can do is to leave it as it is: `skip` settles it. */
bool parked_run_is_lost(const Parking *parking, const ParkedRun *run);

/** \brief The run where it is with the queue or a worker: it was taken up; else NULL. */
Run *parking_taken(const Parking *parking, const Id *run);
/** \brief Takes up a run about which \p decision was taken, durably. Negative errno: not now. */
int parking_take(Parking *parking, const LedgerDecision *decision);
