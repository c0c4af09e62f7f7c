/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One process that performs runs: it loads the module, says hello, and then takes orders until its channel ends. It
 * owns everything below; hooks run in its only thread. It leaves of its own accord, to be followed by a fresh one,
 * after an attempt that ended unknown or that began a thread. */
#pragma once

#include "run/record.h"
#include "worker/channel.h"
#include "worker/module.h"
#include "worker/output.h"

typedef struct WorkerOptions {
	RecordCaps caps;
	size_t memory; /* bytes of address space; 0: no limit */
} WorkerOptions;

typedef struct Worker {
	RecordCaps caps;
	RecordFile recorder;
	RecordFile left; /* the one before: files take turns, and what is mapped still has no faults; base NULL: none */
	bool keeps_left; /* nobody counts this process's address space */
	size_t faulted;  /* up to there its pages can be written without a fault */
	int lost;        /* not 0: errno with which a new recorder could not be had; nothing is recorded any more */
	Module *module;
	Channel channel;
	Output output;
	Buffer content; /* of the record that is written next */
	Buffer writes;  /* of the END that is written next */
	Buffer reply;
	unsigned unheard;   /* runs that have ended, and may be answered, since the doorbell was rung */
	unsigned performed; /* orders, since then */
	bool taken_over;    /* an order has come: what went before is dead */
} Worker;

/* recorder.c */
/** \brief Maps the recorder that \p fd is, in place of the one before, which may stay mapped, and closes \p fd. */
int worker_adopt(Worker *worker, int fd);
void worker_unmap(RecordFile *file);
/** \brief Asks the daemon for a recorder with \p wanted bytes of room, and waits for it. -ENOSPC where the one that
 * came, and is used from now on, has less; -ECONNRESET where none can come any more. */
int worker_make_room(Worker *worker, size_t wanted);
/** \brief Writes worker->content as a record; where there is no room for it, in a new recorder. */
int worker_record(Worker *worker, RecordKind kind);

/** \brief Tells the daemon of what was done since. -EBADF as channel_ring(). */
int worker_ring(Worker *worker);

/** \brief All of it; returns the exit status. */
int worker_main(const WorkerOptions *options);
