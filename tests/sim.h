/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pure core against a world that can crash: a worker and a daemon that do what the real ones do (in the order in
 * which they do it), with everything around them made up: hooks and what they change, a disk that loses or tears what
 * was not synced, a ledger, clients, operators, clocks. All of it follows from one seed. The first thing that must not
 * be ends the simulation, and is told with the trace of that seed.
 *
 * sim_disk.c: the recorder's file. sim_world.c: what hooks have done, and what a status may say of it. sim_worker.c,
 * sim_call.c, sim_daemon.c, sim_ledger.c, sim_recovery.c: the actors. sim_play.c: one seed from beginning to end. */
#pragma once

#include <setjmp.h>

#include "run/recover.h"
#include "tests/dice.h"
#include "tests/oracle.h"

#define SIM_RUNS_MAX 3
#define SIM_SECTOR 512U
#define SIM_VIOLATION_SIZE 1024

/** \brief What ends whoever is acting. Everything that may not come back returns one. */
typedef enum SimFate {
	SIM_FINE,
	SIM_WORKER_DIES,
	SIM_DAEMON_DIES, /* and its worker with it */
	SIM_POWER_FAILS,
	SIM_FATE_MAX,
} SimFate;

typedef struct SimTally {
	uint64_t seeds, runs, points, calls, rectifying, fates[SIM_FATE_MAX], torn, written_back;
	uint64_t syncs, failed_syncs, renewals, recoveries, verdicts[3], in_hand, answers, ends[WALK_STATUS_MAX];
	uint64_t verbs, vanished, notes, stops, late, damaged;
} SimTally;

/** \brief A file, and what of it is on the disk. */
typedef struct SimFile {
	RecordFile live; /* as processes see it */
	uint8_t *disk;
	bool *dirty;     /* by sector: written since it was last brought to the disk (or was to be) */
	bool failing[2]; /* by side (0: daemon, 1: worker): a write has failed, and it was not told yet */
	size_t high;     /* nothing was ever written from here on */
	RecordPlace place;
} SimFile;

typedef struct SimCall {
	bool begun; /* its BEGIN was about to be recorded */
	uint32_t calls, effects;
	OutcomeKind last; /* as the hook meant it; where it was killed: unknown */
	bool left;        /* of a rectifying call: what it is to undo is there */
} SimCall;

#define SIM_NOTES_MAX 8

typedef struct SimNotes {
	uint64_t values[SIM_NOTES_MAX];
	size_t n;
} SimNotes;

typedef struct SimWorld {
	SimCall *calls;   /* by operation */
	uint64_t *notes;  /* by step: the last that was noted; 0: none */
	SimNotes *maybe;  /* by step: what was about to be noted since */
	bool *skipped;    /* by step: an operator left it */
	Id boot;          /* of the last call */
	uint32_t budgets; /* how often attempts were granted */
	bool lossy;       /* durability `process`, and the power failed: records may be missing */
	bool blind;       /* it was parked without its module: what lies ahead cannot be named */
} SimWorld;

typedef enum SimLedger {
	LEDGER_NONE,
	LEDGER_QUEUED, /* a submission */
	LEDGER_PARKED,
	LEDGER_DECIDED, /* parked, and an operator's decision is to be done */
	LEDGER_RESUMED,
	LEDGER_ENDED,
} SimLedger;

typedef struct SimRun {
	Id id;
	Oracle oracle;
	uint32_t flags; /* RECORD_FLAG_… */
	bool gone;      /* nobody will ever hear of it, nor asks */
	Buffer arguments;
	SimWorld world;
	uint32_t n_calls, n_verbs;
	/* the ledger's, durable */
	SimLedger ledger;
	Buffer records; /* parked */
	Buffer reply;
	RecordKind verb;
	RecordDecision decision;
	Id decided; /* the boot in which that was */
	/* the client's */
	bool answered;
	Buffer answer;
	/* the daemon's, in memory */
	bool begun, finished, decision_read;
	size_t offset, end, resumed_at; /* in the file in use */
	WalkStatus status;
	Buffer said; /* its reply, as it stands in FINISH */
} SimRun;

typedef struct Sim {
	uint64_t seed;
	Dice dice;
	const Plan *plan;
	RecordCaps caps;
	size_t reserve;
	SimTally *tally;
	/* in a thousand */
	unsigned crash, write_back, sync_fails, cancel, daemon_turn;
	unsigned crashes_left;
	SimFile *file, *renamed; /* renamed: over the other, and the directory is not synced */
	Id machine, boot;
	uint64_t inode, now_usec, wall_usec;
	SimRun runs[SIM_RUNS_MAX];
	size_t n_runs;
	/* the worker's */
	SimRun *current;
	Replay replay;
	bool taken; /* nothing was asked of the walk since a recovery, or an operator, let it be taken up */
	Buffer content;
	/* the daemon's */
	size_t position;
	uint64_t sequence;
	SimRun *reading;
	bool daemon_acts, renew_wanted;
	ErrorCode cause; /* why the attempt in hand has no end */
	const char *cause_program;
	/* the story */
	bool tracing;
	Buffer trace;
	jmp_buf failed;
	char violation[SIM_VIOLATION_SIZE];
} Sim;

/** \brief Lives through \p seed. False where something was that must not be; then `violation` says what. */
bool sim_play(Sim *sim, uint64_t seed, const Spec *spec, const Plan *plan, SimTally *tally);
void sim_done(Sim *sim);

void sim_fail(Sim *sim, const char *format, ...) _printf_(2, 3) __attribute__((noreturn));
#define sim_must(sim, condition, ...)               \
	do {                                        \
		if (!(condition))                   \
			sim_fail(sim, __VA_ARGS__); \
	} while (0)
void sim_write(Sim *sim, const char *format, ...) _printf_(2, 3);
#define sim_tell(sim, ...)                           \
	do {                                         \
		if ((sim)->tracing)                  \
			sim_write(sim, __VA_ARGS__); \
	} while (0)

bool sim_chance(Sim *sim, unsigned per_mille);
size_t sim_below(Sim *sim, size_t n);
/** \brief A place where anything may happen. */
SimFate sim_point(Sim *sim, const char *name);
/** \brief One where nothing but the end of whoever acts may. */
SimFate sim_dies(Sim *sim, const char *name);
/** \brief \p run as the trace calls it. */
unsigned sim_number(const Sim *sim, const SimRun *run);
bool sim_durable(const SimRun *run);

/* sim_disk.c */
SimFile *sim_file_new(Sim *sim, size_t size);
SimFile *sim_file_free(SimFile *file);
void sim_file_append(Sim *sim, SimFile *file, RecordKind kind, const void *content, size_t size);
/** \brief 0 or -EIO: then nothing of the range that did not reach the disk ever will, and the other side is told by its
 * next sync (each has opened the file by itself: the kernel tells every opener once). */
int sim_file_sync(Sim *sim, SimFile *file, int side);
void sim_file_write_back(Sim *sim, SimFile *file);
/** \brief What a disk could hold afterwards. */
void sim_file_lose_power(Sim *sim, SimFile *file);
/** \brief Takes back a part of the last record, as if its writer had died while it wrote. \p before: the tail. */
void sim_file_tear(Sim *sim, SimFile *file, size_t before);
/** \brief record_pack()s what stands between two places. */
void sim_file_pack(Sim *sim, const SimFile *file, size_t offset, size_t end, Buffer *packed);
static inline size_t sim_file_tail(const SimFile *file)
{
	return atomic_load(&record_page(&file->live)->tail);
}

/* sim_world.c */
void sim_world_init(Sim *sim, SimRun *run);
void sim_world_done(SimWorld *world);
/** \brief The function of \p action is about to be called: whether that may be. */
void sim_world_call(Sim *sim, SimRun *run, const WalkAction *action);
/** \brief A note is about to be recorded; and it was. */
void sim_world_note(SimRun *run, uint32_t step, uint64_t value);
void sim_world_noted(SimRun *run, uint32_t step, uint64_t value);
/** \brief It takes effect, and would end with that. */
void sim_world_act(Sim *sim, SimRun *run, const WalkAction *action);
void sim_world_end(SimRun *run, const WalkAction *action, OutcomeKind kind);
/** \brief Whether \p status and \p reply are true of the world. */
void sim_world_check(Sim *sim, SimRun *run, WalkStatus status, const char *reply, size_t reply_size);
/** \brief Whether a run that nothing is known of may be forgotten. */
void sim_world_check_vanished(Sim *sim, SimRun *run);
void sim_world_decide(Sim *sim, SimRun *run, RecordKind verb, uint32_t step, bool by_hand);

/* sim_call.c */
SimFate sim_call(Sim *sim, const WalkAction *action);
bool sim_is_late(const Sim *sim, const WalkAction *action);

/* sim_worker.c */
/** \brief A record of the run in hand; its content is in sim->content. */
SimFate sim_worker_record(Sim *sim, RecordKind kind);
SimFate sim_worker_record_end(Sim *sim, RecordEnd *end);
/** \brief Everything up to here is on the disk. */
SimFate sim_worker_sync(Sim *sim);
SimFate sim_worker_order(Sim *sim, SimRun *run);
SimFate sim_worker_unpark(Sim *sim, SimRun *run);
/** \brief \p taken: by a recovery. */
SimFate sim_worker_resume(Sim *sim, SimRun *run, bool taken);
void sim_worker_done(Sim *sim);

/* sim_daemon.c */
SimRun *sim_find(Sim *sim, const Id *id);
/** \brief Reads what was recorded. */
void sim_daemon_read(Sim *sim);
/** \brief Syncs, answers, stores: all of it where \p all, else what the dice say. */
SimFate sim_daemon_step(Sim *sim, bool all);
/** \brief A new recorder with what is still needed, and \p wanted bytes of room. */
SimFate sim_daemon_renew(Sim *sim, size_t wanted);
/** \brief It takes the place of the one in use; where it does not come to that, it is freed. */
SimFate sim_daemon_move(Sim *sim, SimFile *file);
/** \brief The worker has died. */
SimFate sim_daemon_reap(Sim *sim);
/** \brief Its memory is gone. */
void sim_daemon_forget(Sim *sim);
/** \brief What FINISH says of \p run is true, and no other answer was given. */
void sim_daemon_check(Sim *sim, SimRun *run);

/* sim_ledger.c: each is a transaction. */
/** \brief The outcome of \p run, as FINISH says it; \p records: packed, where it is parked. */
SimFate sim_ledger_store(Sim *sim, SimRun *run, const Buffer *records);
SimFate sim_ledger_resume(Sim *sim, SimRun *run);
/** \brief Operators decide about what is parked, if they do. */
SimFate sim_ledger_decide(Sim *sim, bool *ret_decided);
/** \brief Whether the outcome of \p run belongs there, and is not there. */
bool sim_ledger_wants(const SimRun *run);

/* sim_recovery.c */
SimFate sim_recover(Sim *sim, SimFate fate);
