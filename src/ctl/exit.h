/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ryusoctl exits with: the status of a run, or one of the numbers of sysexits.h. Every one is documented in
 * ryusoctl(1), and none changes its meaning. */
#pragma once

enum {
	EXIT_SUCCEEDED = 0,
	EXIT_RECTIFIED = 1,
	EXIT_PARKED = 2,
	EXIT_REFUSED = 3,
	EXIT_SETTLED = 4,
	EXIT_USAGE = 64,   /* the command line; nothing was asked for */
	EXIT_ABSENT = 69,  /* no daemon, or none that answers; nothing ran */
	EXIT_BROKEN = 71,  /* this process ran out of something; nothing ran */
	EXIT_WRITING = 74, /* the answer came and was good, but standard output did not take it */
	EXIT_UNKNOWN = 75, /* the request was sent, and no answer came */
	EXIT_DENIED = 77,
};
