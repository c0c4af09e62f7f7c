/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/io.h"

#define CHILDREN_SIZE_MAX (1U << 20)

static int read_children(int tasks, const char *task, Buffer *text)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	snprintf(path, sizeof(path), "%.32s/children", task);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* the thread has ended */
	return read_fd(fd, CHILDREN_SIZE_MAX, text);
}

static bool is_kept(pid_t pid, const pid_t *keep, size_t n_keep)
{
	for (size_t i = 0; i < n_keep; i++)
		if (keep[i] == pid)
			return true;
	return false;
}

typedef struct Found {
	unsigned left;   /* killed, and not dead yet */
	unsigned reaped; /* dead: what they had started falls to us, and may not have been listed */
} Found;

static void clear_listed(const char *text, const pid_t *keep, size_t n_keep, Found *found)
{
	char *end;

	for (;;) {
		pid_t pid = (pid_t)strtol(text, &end, 10);

		if (end == text)
			return;
		text = end;
		if (is_kept(pid, keep, n_keep))
			continue;
		kill(pid, SIGKILL);
		if (waitpid(pid, NULL, WNOHANG) == 0)
			found->left++;
		else
			found->reaped++;
	}
}

static int clear_once(const pid_t *keep, size_t n_keep, Found *ret)
{
	DIR *directory = opendir("/proc/self/task");
	struct dirent *entry;
	Found found = { 0 };
	int r = 0;

	if (!directory)
		return -errno;
	while (r >= 0 && (entry = readdir(directory))) {
		_cleanup_buffer_ Buffer text = { 0 };

		if (entry->d_name[0] == '.')
			continue;
		r = read_children(dirfd(directory), entry->d_name, &text);
		buffer_u8(&text, '\0');
		if (r >= 0)
			r = buffer_error(&text);
		if (r >= 0)
			clear_listed((const char *)text.data, keep, n_keep, &found);
	}
	closedir(directory);
	*ret = found;
	return r;
}

int orphans_clear(const pid_t *keep, size_t n_keep)
{
	Found found = { 0 };
	int r;

	do
		r = clear_once(keep, n_keep, &found);
	while (r >= 0 && found.reaped > 0);
	return r < 0 ? r : (int)found.left;
}
