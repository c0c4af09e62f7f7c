/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library to be preloaded into ryusod, its workers and whatever else changes files below $DISK_ROOT: it writes down, in
 * one order for all of them, each write, each store through a mapping, each change of a directory, each sync, and what
 * went over connections. tests/disk.py makes the file ($DISK_TRACE) that all of them map, and reads it afterwards. All
 * functions but trace_lock() want the lock. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SECTOR 512U
#define TRACE_MAGIC 0x4B534944U
#define SHADOWS_MAX 4096U

/* Of a file that is mapped: how it was when it was last looked at. */
typedef struct Shadow {
	uint64_t inode, size, offset; /* of its bytes, in the trace's file */
} Shadow;

typedef struct Trace {
	uint32_t magic;
	_Atomic uint32_t ready; /* 0: nobody has made the lock; 1: it is being made; 2: it is there */
	uint64_t log, log_end;  /* offsets: where the next event goes, where the log must end */
	uint64_t shade, shade_end;
	uint64_t syncs; /* begun so far: the next one's number */
	uint64_t lost;  /* events that found no room */
	uint64_t n_shadows;
	Shadow shadows[SHADOWS_MAX];
	pthread_mutex_t mutex;
} Trace;

/* Numbers of an event are of 64 bits; its data is padded to eight bytes. */
typedef enum EventKind {
	EVENT_WRITE = 1, /* inode, offset; data */
	EVENT_SIZE,      /* inode, size */
	EVENT_CREATE, /* inode of what there is now, of its directory, whether it is one itself, time of birth; name */
	EVENT_RENAME, /* inode, of its directory, of that into which, flags; name, NUL, name */
	EVENT_UNLINK, /* inode, of its directory; name */
	EVENT_SYNC,   /* begun: inode, number, offset, size (0: all) */
	EVENT_SYNCED, /* inode, number */
	EVENT_SENT,   /* data, before it goes out */
	EVENT_RECEIVED, /* data */
} EventKind;

typedef struct Event {
	uint32_t size, kind; /* size: of all of it, with padding */
	uint32_t pid, data_size;
	uint64_t numbers[4];
} Event;

typedef struct Name {
	struct stat directory;
	const char *name;
} Name;

/** \brief False where nothing is to be written down. Looks at all mappings. errno is kept. */
bool trace_lock(void);
void trace_unlock(void);
void trace_event(EventKind kind, const uint64_t *numbers, const void *data, size_t size);
/** \brief Whether the descriptor is of a file or directory below the root. */
bool trace_has(int fd, struct stat *ret);
/** \brief Whether \p path (below the root) has a directory there, and what its last part is. */
bool trace_name(int at, const char *path, Name *ret);
void *trace_place(uint64_t offset);
Trace *trace_get(void);

/* disk_shadow.c: what this process has mapped */
void shadow_map(void *base, size_t size, uint64_t inode, uint64_t offset);
void shadow_unmap(const void *base, size_t size);
/** \brief Where \p address belongs to a mapping: its inode and offset. */
bool shadow_find(const void *address, uint64_t *ret_inode, uint64_t *ret_offset);
/** \brief Writes down what has changed since. */
void shadow_look(void);
/** \brief What was written by a call is known already. */
void shadow_write(uint64_t inode, uint64_t offset, const void *data, size_t size);
