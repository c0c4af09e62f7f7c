/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hooks of one run have noted (ryuso_note()), by step. Nothing is ever forgotten or overwritten while the run
 * lasts, so what was handed out stays where it is; the cap on a run's notes bounds it all. */
#pragma once

#include "run/record.h"

typedef struct Note {
	uint32_t step;
	char *key;
	void *data;
	size_t size;
} Note;

typedef struct Notes {
	Note *items;
	size_t n, capacity;
	size_t size; /* bytes of all their records */
} Notes;

void notes_done(Notes *notes);
/** \brief Keeps a copy. -ENOMEM. */
int notes_add(Notes *notes, const RecordNote *note);
/** \brief The last one of \p step under \p key, or NULL. */
const Note *notes_find(const Notes *notes, uint32_t step, const char *key);
