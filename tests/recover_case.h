/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One image of a recorder as a disk may hold it after a crash, and what is known of how it came about: recovery is asked
 * what it makes of it, and everything that would be a lie fails the test. */
#pragma once

#include "run/recover.h"
#include "tests/chronicle.h"

#define CASE_RUNS_MAX 4

typedef struct Case {
	const Chronicle *chronicle;
	ChronicleMoment moment;
	RecordFile image;
	bool same_boot;
	bool harmed; /* by more than a crash: bytes from … up to … are not what was written */
	size_t harmed_from, harmed_to;
} Case;

/** \brief As it stood at test->moment, in test->image, which is CHRONICLE_SIZE long. */
void case_image(Case *test);
/** \brief The first page lies on the disk as it was when the file was made. */
void case_forget(Case *test);
/** \brief What is known to have been synced is what records say that are whole. */
void case_believe_records(Case *test);
void case_check(const Case *test);
