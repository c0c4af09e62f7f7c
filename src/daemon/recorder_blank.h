/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is, or becomes, zero from end to end: what the next recorder is made of. It is new, or was a recorder
 * before, and then what it held is erased. One thread at a time has it. It is filled in writes of one page: larger ones
 * would get larger folios, which cost more to sync. One that was mapped before stays so, and is cleaned there: its pages
 * can be stored to without a fault until they are written to the disk, which a write could not be had for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/macro.h"

#define BLANK_BLOCK 4096U
#define BLANK_PIECE (256U << 10) /* that is cleaned at once, while syncs wait \ */

typedef struct Blank {
	TAILQ_ENTRY(Blank) entry;
	int fd;
	uint8_t *base; /* owned: all of it, mapped; NULL: it is not */
	size_t size;
	size_t dirty; /* below that, blocks are written without a look at what they hold */
	size_t clean; /* up to where it is zero */
	bool solid;   /* its size, and where it stands on the disk, are on the disk */
	bool erased;  /* that it is zero is, too */
	bool lent;    /* a worker may have it mapped */
	bool bad;     /* a sync of it failed: it is erased, and not used again */
} Blank;

TAILQ_HEAD(BlankList, Blank);

/** \brief For a file that is open: takes \p fd where it succeeds. \p dirty: see above. -EINVAL where it is no regular
 * file, or has another name beside. */
int blank_new(int fd, size_t dirty, Blank **ret);
/** \brief The file at \p path, of at least \p size bytes: what stands there already, where that can be used, else a new
 * one. All of it is to be written: what stood there may have holes. */
int blank_make(const char *path, size_t size, Blank **ret);
/** \brief Closes and unmaps it; the file stays. Takes NULL. */
Blank *blank_free(Blank *blank);
DEFINE_CLEANUP(Blank *, blank_free)
#define _cleanup_blank_ _cleanup_(blank_freep)

static inline bool blank_is_clean(const Blank *blank)
{
	return blank->clean >= blank->size;
}
/** \brief Cleans one piece more. */
int blank_clean(Blank *blank);
/** \brief Cleans all that is left, and makes it solid. */
int blank_fill(Blank *blank);
/** \brief What was cleaned is on the disk when this returns. */
int blank_erase(Blank *blank);
/** \brief Whether it stands at \p path. */
bool blank_is_at(const Blank *blank, const char *path);
