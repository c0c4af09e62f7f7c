/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/tools.h"

#define SAID_MAX 4096
#define OF_A_SIGNAL 256

ryuso_status shell_attempt(ryuso_run *run, const struct shell_attempt_args *args, struct shell_attempt_outputs *out)
{
	FILE *stream = popen(args->command, "r");
	char said[SAID_MAX + 1];
	size_t size;
	int status;

	if (!stream)
		return ryuso_fail(run, "NoShell", "%s", strerror(errno));
	size = fread(said, 1, SAID_MAX, stream);
	said[size] = '\0';
	status = pclose(stream);
	shell_attempt_set_status(out, WIFEXITED(status) ? WEXITSTATUS(status) : OF_A_SIGNAL + WTERMSIG(status));
	shell_attempt_set_said(out, said);
	return RYUSO_OK;
}

ryuso_status shell_note(ryuso_run *run, const struct shell_note_args *args)
{
	char path[PATH_MAX];
	int fd;

	(void)args;
	snprintf(path, sizeof(path), "%s/undone", getenv("STATE_DIRECTORY"));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ryuso_fail(run, "NoFile", "%s: %s", path, strerror(errno));
	close(fd);
	return RYUSO_OK;
}
