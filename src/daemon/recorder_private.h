/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between recorder.c (the file in use, the main thread's), recorder_thread.c (what the two threads tell each other),
 * recorder_work.c (what waits for the disk), recorder_file.c (how a new file is made), recorder_kept.c (what it takes
 * along), recorder_blank.c (what it is made of) and recorder_remains.c (what an earlier daemon left). */
#pragma once

#include <pthread.h>

#include "daemon/recorder.h"
#include "daemon/recorder_blank.h"

#define RECORDER_WANTED_MAX ((size_t)2 << 30) /* a run and its reserve are never more than RecorderSize= */

/** \brief What a new file is to be. */
typedef struct RecorderOrder {
	const char *directory;
	RecordPlace place; /* machine and boot */
	size_t size_min;
	RecordFile old; /* the file in use; base NULL: none */
	uint32_t old_number;
	size_t old_end; /* behind the last record that was read in it */
	RecorderKept *kept;
	size_t n_kept, wanted;
	bool exchange; /* what is replaced may take the other name */
} RecorderOrder;

typedef struct RecorderMade {
	int fd;
	RecordFile file;
} RecorderMade;

/* recorder_kept.c */
/** \brief Bytes that the records of order->kept take in a file. -EBADMSG where one does not hold. */
int kept_size(const RecorderOrder *order, size_t *ret);
/** \brief Writes them into \p image, anew, and says where. */
int kept_append(const RecorderOrder *order, const RecordFile *image);

/* recorder_file.c */
/** \brief "recorder", or what it is called before it is: to be freed, or NULL. */
char *recorder_path(const char *directory, bool fresh);
/** \brief Its inode and time of birth. */
int recorder_file_place(int fd, RecordPlace *ret);
/** \brief Memory of our own, zero. */
int recorder_file_map_zeros(size_t size, RecordFile *ret);
void recorder_file_unmap(RecordFile *file);
/** \brief Bytes that the file is to have; -EFBIG, -EBADMSG. */
int recorder_file_size(const RecorderOrder *order, size_t *ret);
/** \brief Makes the file of \p blank, which stands at the other name and is taken, and puts it in its place. Where that
 * fails, what was in use is in use still; \p *ret_replaced says whether a power loss may show the new one all the same.
 * */
int recorder_file_make(const RecorderOrder *order, Blank *blank, RecorderMade *ret, bool *ret_replaced);

typedef enum RenewalState {
	RENEWAL_NONE,
	RENEWAL_WANTED,
	RENEWAL_DONE,
} RenewalState;

/** \brief What the two threads share is guarded by `mutex`. */
struct RecorderThread {
	pthread_t id;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	int event_fd; /* readable: something has ended */
	char *path;   /* owned; of what the next file is made of */
	size_t size_min;
	bool stop;
	/* syncs */
	RecordFile file;   /* in use; changes only while no sync is wanted or done */
	size_t wish;       /* a sync is wanted up to there; 0: none */
	bool failed;       /* none is done any more */
	unsigned n_synced; /* that have ended, and the main thread does not know of */
	int sync_result;   /* of the one among them that failed */
	/* a renewal; what belongs to it is the thread's while it is WANTED */
	RenewalState renewal;
	RecorderOrder order;
	RecorderMade made;
	int renewal_result;
	bool replaced;
	/* what was a recorder, or will be one; what stands at `path` is one of them, if it is ours */
	struct BlankList blanks;
	bool spare_wanted; /* if there is none */
};

/** \brief What has ended since this was asked the last time. */
typedef struct RecorderResult {
	unsigned n_synced;
	int sync_result;
	bool renewed;
	int renewal_result;
	RecorderMade made;
} RecorderResult;

/* recorder_thread.c */
int recorder_thread_start(const char *directory, size_t size_min, const RecordFile *file, RecorderThread **ret);
/** \brief Waits for what it is doing, and frees it. Takes NULL. */
RecorderThread *recorder_thread_free(RecorderThread *thread);
/** \brief Another one waits for it, or its own wish has become larger. */
void recorder_thread_sync(RecorderThread *thread, size_t to);
void recorder_thread_renew(RecorderThread *thread, const RecorderOrder *order);
RecorderResult recorder_thread_take(RecorderThread *thread);
/** \brief \p file is in use from now on; \p spent (NULL: none), which is taken, was before. */
void recorder_thread_move(RecorderThread *thread, const RecordFile *file, Blank *spent);
/** \brief Nobody else uses any more what was in use before. */
void recorder_thread_recycle(RecorderThread *thread);
void recorder_thread_prepare(RecorderThread *thread);

/* recorder_work.c */
void *recorder_work(void *thread);
