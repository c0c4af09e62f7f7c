/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between recorder.c (the file in use, the main thread's), recorder_thread.c (who waits for the disk), recorder_file.c
 * (how a new file is made), recorder_kept.c (what it takes along) and recorder_blank.c (what it is made of). */
#pragma once

#include <pthread.h>

#include "daemon/recorder.h"
#include "daemon/recorder_blank.h"

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
	bool exchanged; /* what was replaced stands at the other name now */
} RecorderMade;

/* recorder_kept.c */
/** \brief Bytes that the records of order->kept take in a file. -EBADMSG where one does not hold. */
int kept_size(const RecorderOrder *order, size_t *ret);
/** \brief Writes them into \p image, anew, and says where. */
int kept_append(const RecorderOrder *order, const RecordFile *image);

/* recorder_file.c */
/** \brief "recorder", and what it is called before it is: to be freed, or NULL. */
char *recorder_path(const char *directory, bool fresh);
void recorder_file_unmap(RecordFile *file);
/** \brief Bytes that the file is to have; -EFBIG, -EBADMSG. */
int recorder_file_size(const RecorderOrder *order, size_t *ret);
/** \brief Makes the file of \p blank, which stands at the other name and is taken, and puts it in its place. Where that
 * fails, what was in use is in use still; \p *ret_replaced says whether a power loss may show the new one all the same. */
int recorder_file_make(const RecorderOrder *order, Blank *blank, RecorderMade *ret, bool *ret_replaced);

typedef enum RenewalState {
	RENEWAL_NONE,
	RENEWAL_WANTED,
	RENEWAL_DONE,
} RenewalState;

struct RecorderThread {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	int event_fd; /* readable: something has ended */
	char *path;   /* of blanks that are not lent; owned, and as the next four never changed while it runs */
	bool stop;
	/* syncs */
	RecordFile file;   /* in use; changes only while no sync is wanted or done */
	size_t wish;       /* a sync is wanted up to there; 0: none */
	bool failed;       /* none is done any more */
	unsigned n_synced; /* that have ended, and nobody was told of */
	int sync_result;   /* the first of theirs that failed */
	/* the renewal */
	RenewalState renewal;
	RecorderOrder order;
	RecorderMade made;
	int renewal_result;
	bool replaced;
	/* blanks; the newest that is named stands at `path` */
	struct BlankList blanks;
	size_t size_min;
	bool spare_wanted; /* there is none, and one is to be made while nothing else is to be done */
};

/* recorder_thread.c */
int recorder_thread_start(const char *directory, size_t size_min, RecorderThread **ret);
/** \brief Waits for what it is doing, and frees it. Takes NULL. */
RecorderThread *recorder_thread_free(RecorderThread *thread);
