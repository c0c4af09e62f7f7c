/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between inspect.c (the whole), inspect_recorder.c and inspect_ledger.c (its parts). */
#pragma once

#include "base/buffer.h"
#include "daemon/inspect.h"

typedef struct Inspection {
	const char *directory;
	Buffer text;
	Buffer problems; /* lines */
	InspectStatus status;
} Inspection;

/** \brief A sentence on what is damaged, or cannot be read; the worst counts. */
void inspect_problem(Inspection *inspection, InspectStatus status, const char *format, ...) _printf_(3, 4);
/** \brief Text of a client's or an author's, in one line. */
void inspect_text(Inspection *inspection, const char *text, size_t size);
/** \brief "2026-11-24 14:57:03" of this system's time zone. */
void inspect_time(Inspection *inspection, uint64_t usec);

void inspect_recorder(Inspection *inspection);
void inspect_ledger(Inspection *inspection);
