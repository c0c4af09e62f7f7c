/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of points (src/base/point.c says what stands where) for tests in C that are the daemon's side themselves:
 * its writes and syncs are made to fail, or it is killed at a point. */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/point.h"
#include "scratch.h"

#define POINTS_SIZE (196848U + 2U * 40U)
#define POINTS_KILL_DAEMON 2U

typedef enum PointsFault {
	POINTS_SYNC,
	POINTS_WRITE,
} PointsFault;

static uint8_t *points;

static inline uint32_t *points_u32(size_t offset)
{
	return (uint32_t *)(void *)(points + offset);
}

static inline uint64_t *points_u64(size_t offset)
{
	return (uint64_t *)(void *)(points + offset);
}

/** \brief A fresh file, armed for nothing; this process is the daemon from now on. \p path: outlives the test. */
static inline void points_make(const char *path)
{
	static char variable[PATH_MAX + 512];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, POINTS_SIZE), 0);
	points = mmap(NULL, POINTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(points != MAP_FAILED);
	close(fd);
	memcpy(points, "RPNT", 4);
	*points_u32(4) = 1;
	snprintf(variable, sizeof(variable), "RYUSO_POINTS=%s", path);
	ck_assert_int_eq(putenv(variable), 0);
	point_init(POINT_DAEMON);
}

/** \brief The \p number-th of those that are still to come fails; 0: none. */
static inline void points_fail(PointsFault what, uint64_t number, int error)
{
	size_t offset = 88 + 48 * (size_t)what;

	*points_u32(offset + 4) = (uint32_t)error;
	*points_u64(offset + 40) = 0;
	*points_u64(offset + 16) = number == 0 ? 0 : *points_u64(offset + 24) + number;
}

static inline uint64_t points_failed(PointsFault what)
{
	return *points_u64(88 + 48 * (size_t)what + 40);
}

/** \brief The daemon is killed at the \p number-th point that it will reach; 0: at none. */
static inline void points_kill(uint64_t number)
{
	*points_u64(48) = 0;
	*points_u32(56 + 4) = POINTS_KILL_DAEMON;
	*points_u64(56 + 8) = number == 0 ? 0 : *points_u64(16) + number;
}
