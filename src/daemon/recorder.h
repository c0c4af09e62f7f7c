/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder's file, mapped: made here, written by the worker, read here up to the tail that the worker has
 * published, synced here on a thread of its own. There is always exactly one in use; a new one takes its place by
 * rename, whole, synced, its directory synced, before anything acts on it. What a worker (or a hook in it) wrote is
 * never believed further than its records hold. All functions are the main thread's; none but those that open, copy and
 * remove it wait for a disk. */
#pragma once

#include "run/record.h"

#define RECORDER_NAME "recorder"

typedef struct Recorder Recorder;
typedef struct RecorderThread RecorderThread; /* recorder_thread.c */

typedef struct RecorderEvents {
	/* A sync has ended. r < 0: it failed: nothing that is not below recorder_synced() is believed any more, and a
	 * new file is wanted. */
	void (*on_synced)(int r, void *context);
	/* recorder_renew() has ended. r < 0: the old file stays in use. */
	void (*on_renewed)(int r, void *context);
	void *context;
} RecorderEvents;

struct Recorder {
	char *directory;   /* owned */
	size_t size_min;   /* of a new file */
	RecordPlace place; /* machine and boot */
	RecorderEvents events;
	int fd;
	RecordFile file;
	uint32_t number;
	size_t begin;      /* where the worker's own records begin */
	size_t position;   /* behind the last record read */
	size_t seen;       /* the tail when it was last looked at */
	uint64_t sequence; /* of the next one; RECORD_SEQUENCE_ANY before the first */
	size_t wished;     /* up to where a sync was asked for */
	bool failed;       /* a sync of it did: none is tried again, and nothing behind `trusted` is believed */
	size_t trusted;
	bool renewing;
	bool prepared;                /* a file for the next renewal was asked for */
	uint64_t n_syncs, n_renewals; /* done here, for `status` */
	RecorderThread *thread;       /* owned: syncs, renewals, the cleaning of the file before; NULL: not open */
};

/** \brief Records that a new file takes along: of the file in use, or bytes that record_pack() packed. */
typedef struct RecorderKept {
	size_t offset, size; /* in the file in use; where packed is NULL */
	const void *packed;
	size_t packed_size;
	size_t ret_offset; /* where they begin in the new file */
} RecorderKept;

void recorder_init(Recorder *recorder);
/** \brief Waits for its thread. */
void recorder_done(Recorder *recorder);
/** \brief Reads the file that \p directory holds from before, for recover_read(): a copy, which stays what it is
 * whatever becomes of the file. \p ret_place: where that is. -ENOENT: there is none; -EINVAL: it is no regular file.
 * recorder_unmap() frees it. */
int recorder_map(const char *directory, const Id *machine, const Id *boot, RecordFile *ret, RecordPlace *ret_place);
void recorder_unmap(RecordFile *file);
/** \brief Gives the file in \p directory another name, "recorder.WORD-NUMBER", one that is free. 1; 0: there is none.
 * */
int recorder_keep_aside(const char *directory, const char *word);

typedef struct RecorderSetup {
	const char *directory;
	size_t size;
	Id machine, boot;
	RecorderEvents events;
} RecorderSetup;

/** \brief Makes a new file in place of whatever the directory holds, with \p kept (packed ones) in it, whole and
 * synced, and starts the thread. May wait for the disk. */
int recorder_open(Recorder *recorder, const RecorderSetup *setup, RecorderKept *kept, size_t n_kept);
/** \brief Readable when recorder_dispatch() has something to do. */
int recorder_event_fd(const Recorder *recorder);
/** \brief Calls the events. */
void recorder_dispatch(Recorder *recorder);
/** \brief Sees to it that everything that has been read (`position`) is synced: begins a sync unless one is under way;
 * then the next begins when it has ended, if it is still wanted. Does nothing where all is synced or a new file is
 * being made. */
void recorder_sync(Recorder *recorder);
/** \brief Offset up to which all is known to be on the disk, whoever synced it. */
size_t recorder_synced(const Recorder *recorder);
/** \brief Begins to make a new file with at least \p wanted bytes of room behind \p kept (which stays lent until
 * on_renewed). No worker may be writing: it is FULL, or dead. -EBUSY: one is being made already. */
int recorder_renew(Recorder *recorder, RecorderKept *kept, size_t n_kept, size_t wanted);
/** \brief The worker has moved to the file in use: the one before is zeroed and synced on the thread, for the next
 * renewal. */
void recorder_recycle(Recorder *recorder);
/** \brief The next record: 1, with its place in \p ret_offset; 0: none yet; -EBADMSG: what is before the tail holds no
 * record. */
int recorder_read(Recorder *recorder, Record *ret, size_t *ret_offset);
/** \brief Removes the file: a clean end with nothing open, and no worker alive. What it held is erased. Ends the
 * thread: recorder_done() is all that may follow. */
void recorder_remove(Recorder *recorder);

static inline RecordPage *recorder_page(const Recorder *recorder)
{
	return record_page(&recorder->file);
}
