/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of its own for a test in C: made by scratch_path() when it is first asked for, in the process that asks,
 * and removed with what is in it by scratch_reset() and when that process ends. */
#pragma once

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_directory[PATH_MAX];
static bool scratch_registered;

static inline int scratch_remove(const char *path, const struct stat *found, int kind, struct FTW *place)
{
	(void)found;
	(void)kind;
	(void)place;
	return remove(path);
}

static inline void scratch_clean(void)
{
	if (scratch_directory[0])
		nftw(scratch_directory, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/** \brief Removes what is there: the next call of scratch_path() begins with an empty directory. */
static inline void scratch_reset(void)
{
	scratch_clean();
	scratch_directory[0] = '\0';
}

/** \brief The path of \p name in it; valid until the next call. */
static inline const char *scratch_path(const char *name)
{
	static char path[PATH_MAX + 256];
	const char *base = getenv("TMPDIR");

	if (!scratch_directory[0]) {
		snprintf(scratch_directory, sizeof(scratch_directory), "%s/ryuso-check-XXXXXX", base ? base : "/tmp");
		ck_assert_ptr_nonnull(mkdtemp(scratch_directory));
		if (!scratch_registered)
			atexit(scratch_clean);
		scratch_registered = true;
	}
	snprintf(path, sizeof(path), "%s/%s", scratch_directory, name);
	return path;
}
