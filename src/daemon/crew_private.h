/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between crew.c (who works), crew_start.c (how workers begin), crew_change.c (another module), crew_guest.c (whose
 * module), crew_records.c (what was recorded), crew_renew.c (new recorders), crew_cancel.c, crew_refuse.c, crew_time.c
 * (deadlines), crew_turns.c (how much is ordered ahead) and crew_end.c (how workers end). */
#pragma once

#include "daemon/crew.h"

/* crew_start.c */
/** \brief For people, in one line: what modules and specs say in it is escaped and cut. NULL where memory is short. */
char *crew_sentence(const char *format, ...) _printf_(1, 2);
/** \brief A worker could not be had; \p problem is taken. */
void crew_fail(Crew *crew, char *problem);
void crew_back_off(Crew *crew);
/** \brief Starts a worker that will be the spare, unless there is one or it is too early. */
void crew_start_spare(Crew *crew);

/** \brief Finds the module's file and opens it: negative errno, with or without \p ret_problem. */
int crew_open_module(const Crew *crew, const Config *config, CrewModule *ret, char **ret_problem);
void crew_module_done(CrewModule *module);
CrewLimits crew_limits(const Config *config);

/* crew_change.c */
/** \brief The worker that tries the next module has said hello. */
void crew_next_hello(Crew *crew, const OrderHello *hello);
/** \brief It cannot be used; \p problem is taken. */
void crew_next_fail(Crew *crew, char *problem);
/** \brief Whether the next worker is to try it. */
bool crew_next_is_due(const Crew *crew);
void crew_next_free(Crew *crew);

/** \brief The file of the worker that is starting, where it is no guest's. */
static inline const char *crew_spare_path(const Crew *crew)
{
	return crew->spare_is_next && crew->next ? crew->next->module.path : crew->module.path;
}

/* crew_guest.c */
/** \brief The module in use is in use no more, and lives on for the runs that are pinned to it. -ENOMEM: nothing has
 * changed. */
int crew_guest_retire(Crew *crew);
/** \brief The module that the next worker is wanted of: of the run in hand, else of the first that waits, else (null)
 * the one in use. */
Id crew_wanted(const Crew *crew);
CrewGuest *crew_guest_of(const Crew *crew, const Id *identity);
/** \brief A descriptor of the guest's file; -ENOENT with \p ret_problem. Borrowed. */
int crew_guest_open(CrewGuest *guest, char **ret_problem);
/** \brief The guest cannot be had: runs that wait for it park again; one in hand waits on. */
void crew_guest_fail(Crew *crew, CrewGuest *guest, char *problem);
/** \brief Its worker has ended before it was ready, which says little of the file: another is tried, a few times. */
void crew_guest_died(Crew *crew, CrewGuest *guest, const char *how);
void crew_guests_free(Crew *crew);

/* crew.c */
/** \brief The active worker gets no further runs, and begins none of those it has. */
void crew_tire(Crew *crew);
Run *crew_remove(Crew *crew, Run *run);

/* crew_refuse.c */
/** \brief \p run, which the crew has let go, never began: it is refused, and freed. */
void crew_refuse(Crew *crew, Run *run, const Error *error);
/** \brief The same of one whose UNBEGUN was read; of a submission, when the ledger knows. */
void crew_refuse_unbegun(Crew *crew, Run *run, ErrorCode cause);
/** \brief The ledger is being told that the run of that id never began. */
bool crew_is_refusing(const Crew *crew, const Id *run);
void crew_refusals_free(Crew *crew);

/* crew_records.c */
/** \brief Reads what was recorded, and acts on it. */
void crew_read_records(Crew *crew);
/** \brief And makes room where the worker wants it. */
void crew_read(Crew *crew);

/* crew_renew.c */
void crew_renew(Crew *crew, size_t wanted);
void crew_on_synced(int r, void *context);
void crew_on_renewed(int r, void *context);

/* crew_cancel.c */
/** \brief Passes wishes on to the worker, and answers to those who asked. */
void crew_cancels_step(Crew *crew);
/** \brief What is known of \p run's cancel: recorded (0), too late. */
void crew_cancels_end(Crew *crew, const Id *run, int r, bool begun);
/** \brief The page is a new one: wishes stand in it no more. */
void crew_cancels_again(Crew *crew);
/** \brief The worker stands still. Where that was for a cancel: takes back what has not begun, or says that it is to be
 * killed. */
bool crew_cancel_stopped(Crew *crew);
void crew_cancels_free(Crew *crew);

/* crew_turns.c */
/** \brief A run has taken so long. */
void crew_pace(Crew *crew, uint64_t usec);
/** \brief How many runs may be with the worker. */
size_t crew_depth(Crew *crew);
/** \brief Once per tick: where a user waits too long for others' runs that have not begun, they are taken back. */
void crew_check_turns(Crew *crew, uint64_t now_usec);

/* crew_time.c */
void crew_set_timeout_cause(Crew *crew);
bool crew_deadline_has_passed(const Crew *crew);

/* crew_end.c */
/** \brief What was ordered and has not begun goes back to the head of the queue; the worker is known not to begin it. */
void crew_recall(Crew *crew);
/** \brief Kills what a dead worker left behind. */
void crew_clear(Crew *crew);
/** \brief Nothing in the recorder can be believed any more. */
void crew_damage(Crew *crew, const char *what);
