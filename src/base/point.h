/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of what crashes leave: numbered places at which the processes can be made to die, or to be looked at. Only
 * where the environment variable RYUSO_POINTS names a file, which tests/points.py makes; else a place costs one test of
 * a variable that nothing changes. Faults are armed the same way: the n-th allocation, write or sync of a process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum PointSide {
	POINT_DAEMON,
	POINT_WORKER,
	POINT_SIDES,
} PointSide;

/** \brief Maps the file, if there is one, and says who this is. Called once at the start of each program, and by the
 * worker again in nothing that it forks. */
void point_init(PointSide side);
/** \brief The daemon says which worker is active: who is killed when a point asks for the worker. */
void point_worker(int pid);
void point_reach(const char *name);

extern bool points_armed;

/** \brief \p name: "before-record", "after-sync", … a string constant. */
#define POINT(name)                                    \
	do {                                           \
		if (__builtin_expect(points_armed, 0)) \
			point_reach(name);             \
	} while (0)

/** \brief 0, or the errno with which a test wants this write or sync to fail: asked just before each (`what`: "sync",
 * "write"). */
int point_fault(const char *what);
#define POINT_FAULT(what) (__builtin_expect(points_armed, 0) ? point_fault(what) : 0)

/** \brief The boot's id as a test wants it: RYUSO_BOOT_ID, 32 hexadecimal characters, where RYUSO_POINTS is set; else
 * NULL: ask the kernel. */
const char *point_boot_id(void);
