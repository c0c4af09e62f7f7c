/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder's file, mapped: made here, written by the worker, read here up to the tail that the worker has
 * published. There is always exactly one in use; a new one takes the place of a full one by rename. What a worker (or a
 * hook in it) wrote is never believed further than its records hold. */
#pragma once

#include "run/record.h"

#define RECORDER_NAME "recorder"

typedef struct Recorder {
	char *directory; /* owned */
	size_t size_min; /* of a new file */
	int fd;
	RecordFile file;
	uint32_t number;
	RecordFile spent; /* the one before, kept mapped: the next new one is made of it, which costs far less */
	int spent_fd;
	size_t spent_dirty; /* how much of it, from its beginning, is not zero yet */
	size_t begin;       /* where the worker's own records begin */
	size_t position;    /* behind the last record read */
	uint64_t sequence;  /* of the next one; RECORD_SEQUENCE_ANY before the first */
} Recorder;

/** \brief What an old file says. */
typedef struct RecorderRemains {
	bool damaged;    /* it is no recorder */
	bool unfinished; /* `run` has a START and no FINISH */
	Id run;
	char program[SPEC_NAME_MAX + 1];
} RecorderRemains;

void recorder_init(Recorder *recorder);
void recorder_done(Recorder *recorder);
/** \brief Looks at \p path. -ENOENT where there is none. */
int recorder_inspect(const char *path, RecorderRemains *ret);
/** \brief Gives the file in \p directory another name, "recorder.WORD-NUMBER", one that is free. 1; 0: there is none.
 */
int recorder_keep_aside(const char *directory, const char *word);
/** \brief Makes the first file in \p directory. */
int recorder_open(Recorder *recorder, const char *directory, size_t size);
/** \brief A new file with at least \p wanted bytes of room, which holds what was written from \p offset on (0: nothing)
 * as its first records, in place of the one in use; \p ret_offset is where they begin now. Where it fails the old one
 * stays in use. */
int recorder_renew(Recorder *recorder, size_t offset, size_t wanted, size_t *ret_offset);
/** \brief Whether the file before holds something that can be zeroed now: the worker has moved to the one in use. */
bool recorder_wants_cleaning(const Recorder *recorder);
/** \brief Zeroes a piece of it. */
void recorder_clean(Recorder *recorder);
/** \brief The next record: 1, with its place in \p ret_offset; 0: none yet; -EBADMSG: what is before the tail holds no
 * record. */
int recorder_read(Recorder *recorder, Record *ret, size_t *ret_offset);
/** \brief Removes the file: a clean end with nothing open. */
void recorder_remove(Recorder *recorder);

static inline RecordPage *recorder_page(const Recorder *recorder)
{
	return record_page(&recorder->file);
}
