/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What recovery's files share: recover.c reads an image, from its beginning to what holds no record, then, where that is
 * damage, from one island of records to the next; recover_runs.c makes runs of the records; recover_verdict.c says what
 * becomes of one. */
#pragma once

#include "run/recover.h"

#define RECOVER_NONE SIZE_MAX

typedef struct Reading {
	const RecordFile *file;
	Recovered *found;
	size_t runs_capacity, unbegun_capacity;
	bool island;   /* something is lost between what came before and this */
	size_t open;   /* the run whose records are being read, or NONE */
	size_t closed; /* the one whose FINISH was the last record of a run, or NONE */
} Reading;

/** \brief By kind: each takes a record that stands at \p offset. -EBADMSG where it cannot stand there; -ENOMEM. */
extern int (*const recover_takes[RECORD_KIND_MAX])(Reading *reading, size_t offset, const Record *record);
/** \brief What comes next is on the other side of something lost, or of the end. */
void recover_break(Reading *reading);
/** \brief Of each run the last telling stays: one that was parked and is taken up again is recorded anew, whole. */
int recover_drop_superseded(Recovered *found);
