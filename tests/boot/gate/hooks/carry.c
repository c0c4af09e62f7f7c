/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/gate.h"

/* The diary says which build has acted. */
#define EDITION "first"

static void place(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", getenv("STATE_DIRECTORY"), name);
}

/* One line, on the disk when this returns. */
static ryuso_status note(ryuso_run *run, const char *thing)
{
	char path[PATH_MAX], line[256];
	ryuso_status status = RYUSO_OK;
	int fd, n;

	place(path, "diary");
	n = snprintf(line, sizeof(line), "%s %s%s (%s)\n", ryuso_hook_name(run), thing, ryuso_in_doubt(run) ? "?" : "",
		     EDITION);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return ryuso_fail(run, "NoDiary", "%s: %s", path, strerror(errno));
	if (write(fd, line, (size_t)n) != n || fsync(fd) < 0)
		status = ryuso_unknown(run, "NotWritten", "%s: %s", path, strerror(errno));
	close(fd);
	return status;
}

ryuso_status carry_act(ryuso_run *run, const struct carry_act_args *args)
{
	char path[PATH_MAX];

	place(path, ryuso_hook_name(run));
	if (access(path, F_OK) == 0)
		return ryuso_fail(run, "InTheWay", "%s is in the way", path);
	return note(run, args->thing);
}

ryuso_status carry_hold(ryuso_run *run, const struct carry_hold_args *args)
{
	char path[PATH_MAX], byte;
	ryuso_status status;
	ssize_t n;
	int fd;

	status = note(run, args->thing);
	if (status != RYUSO_OK)
		return status;
	place(path, "gate");
	fd = open(path, O_RDWR | O_CLOEXEC); /* so that it waits on when whoever is at the gate goes away */
	if (fd < 0)
		return ryuso_unknown(run, "NoGate", "%s: %s", path, strerror(errno));
	n = read(fd, &byte, 1);
	close(fd);
	return n == 1 ? RYUSO_OK : ryuso_unknown(run, "NotOpened", "%s: %s", path, strerror(errno));
}

ryuso_status carry_gorge(ryuso_run *run, const struct carry_gorge_args *args)
{
	const size_t size = (size_t)1 << 20;
	ryuso_status status = note(run, args->thing);
	char *block;

	while (status == RYUSO_OK) {
		block = malloc(size);
		if (!block)
			return ryuso_fail(run, "NoMemory", "there was an end of it before the kernel saw to it");
		memset(block, 1, size);
	}
	return status;
}
