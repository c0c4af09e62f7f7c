/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of parking share: park.c parks a run whose plan is known, through its walk; park_blind.c one of which
 * nothing but its records is known. */
#pragma once

#include "tell/park.h"

typedef struct ParkCause {
	ErrorCode code;
	const char *message;
	uint64_t now_usec;
} ParkCause;

/* Each adds a record to parked->records. */
int park_pack(Buffer *content, RecordKind kind, Parked *parked);
int park_pack_end(const RecordEnd *end, Parked *parked);
/** \brief The reply is the one of \p parked. */
int park_pack_finish(RecordFinish *finish, Parked *parked);

/** \brief The content of a PARK record. */
void park_encode(const ParkCause *cause, Buffer *content);

/** \brief parked->records: a copy of what \p start begins. */
int park_blind(const RecordStart *start, const ParkCause *cause, Parked *parked);
