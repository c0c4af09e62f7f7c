/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "daemon/recorder.h"

#define KEPT_MAX 1000U

int recorder_keep_aside(const char *directory, const char *word)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" RECORDER_NAME, directory) < 0)
		return -ENOMEM;
	for (unsigned i = 1; i <= KEPT_MAX; i++) {
		_cleanup_free_ char *kept = NULL;

		if (asprintf(&kept, "%s.%s-%u", path, word, i) < 0)
			return -ENOMEM;
		if (renameat2(AT_FDCWD, path, AT_FDCWD, kept, RENAME_NOREPLACE) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}
