/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorder's file in the making: zero-filled, its first page, the records that it takes along, synced, put into the
 * directory under its name. Nothing here knows of threads. */
#pragma once

#include "daemon/recorder.h"

#define RECORDER_FRESH_NAME RECORDER_NAME ".new"

void recorder_file_done(RecorderFile *file);
/** \brief A new zero-filled file under the fresh name, of at least \p size bytes. */
int recorder_file_create(const char *directory, size_t size, RecorderFile *ret);
/** \brief Zeroes a piece of what is dirty, from its end on. */
void recorder_file_clean_piece(RecorderFile *file);
/** \brief The same with all of it. */
void recorder_file_clean(RecorderFile *file);
/** \brief Where \p fd is. */
int recorder_file_place(int fd, const Id *machine, const Id *boot, RecordPlace *ret);
/** \brief Bytes that \p kept will take; -EBADMSG where records of it do not hold. \p old: the file in use. */
int recorder_kept_size(const RecordFile *old, uint32_t old_number, const RecorderKept *kept, size_t n, size_t *ret);
/** \brief First page and records; synced. \p ret_number: the file's. */
int recorder_file_fill(RecorderFile *file, const RecordPlace *place, const RecordFile *old, uint32_t old_number,
		       RecorderKept *kept, size_t n, uint32_t *ret_number);
/** \brief Gives it its name; the directory is synced. The file that had the name gets the fresh one where \p exchange
 * says so and the file system can (then 1), else it has none any more (0). */
int recorder_file_publish(const char *directory, bool exchange);
