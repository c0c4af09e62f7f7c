/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits for the disk on behalf of the recorder: one thread that syncs, makes new files, and cleans the one before.
 * The main thread asks, and takes results; between the two nothing is shared but what a job holds. */
#pragma once

#include "daemon/recorder_file.h"

/** \brief A new file to be made; lent to the thread until its result is taken. */
typedef struct RecorderRenewal {
	const char *directory;
	Id machine, boot;
	size_t size_min, wanted;
	RecordFile old;
	uint32_t old_number;
	RecorderKept *kept;
	size_t n_kept;
	RecorderFile spare; /* in: one to be used, or none; out: the file before, where it is kept */
	RecorderFile made;
	uint32_t number;
	bool exchanged;
	int r;
} RecorderRenewal;

/** \brief All of it, where it is called: what the thread does, and the start. */
int recorder_renewal_make(RecorderRenewal *renewal);

int recorder_thread_new(RecorderThread **ret);
/** \brief Waits for the job in hand. Takes NULL. */
RecorderThread *recorder_thread_free(RecorderThread *thread);
int recorder_thread_fd(const RecorderThread *thread);

/** \brief The range [from, to) of the mapping, which must stay; one at a time. */
void recorder_thread_sync(RecorderThread *thread, const RecordFile *file, size_t from, size_t to);
void recorder_thread_renew(RecorderThread *thread, RecorderRenewal *renewal);
/** \brief Takes \p file to zero and sync it; recorder_thread_spare() gives it back. */
void recorder_thread_clean(RecorderThread *thread, RecorderFile *file);
/** \brief A file for the next renewal is made ahead, where there is none. \p directory must stay. */
void recorder_thread_prepare(RecorderThread *thread, const char *directory, size_t size);
/** \brief The cleaned file, or none; also one that is being cleaned, which is waited for. */
RecorderFile recorder_thread_spare(RecorderThread *thread);

typedef struct RecorderResult {
	bool synced, renewed;
	int sync_r;
	size_t synced_to;
} RecorderResult;

RecorderResult recorder_thread_take(RecorderThread *thread);
/** \brief Until no sync is in hand. */
void recorder_thread_wait(RecorderThread *thread);
