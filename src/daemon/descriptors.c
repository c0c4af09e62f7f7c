/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/descriptors.h"

#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/macro.h"

static struct rlimit inherited;

int descriptors_raise(void)
{
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &inherited) < 0)
		return -errno;
	raised = inherited;
	raised.rlim_cur = raised.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &raised) < 0 ? -errno : 0;
}

int descriptors_give(pid_t pid)
{
	if (inherited.rlim_cur == inherited.rlim_max)
		return 0;
	return prlimit(pid, RLIMIT_NOFILE, &inherited, NULL) < 0 ? -errno : 0;
}

int descriptors_ceiling(void)
{
	struct rlimit limit;
	int n;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return INT_MAX;
	n = (int)MIN(limit.rlim_cur, (rlim_t)INT_MAX);
	return n - MIN(DESCRIPTORS_RESERVE, n / 4);
}

/* The lowest that is free is the one that is handed out. */
bool descriptors_are_free(void)
{
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC);

	return fd >= 0 && fd < descriptors_ceiling();
}
