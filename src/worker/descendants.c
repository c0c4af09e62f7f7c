/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/io.h"

typedef struct Process {
	pid_t pid, parent;
	bool below;
} Process;

typedef struct Processes {
	Process *items;
	size_t n, capacity;
} Processes;

int descendants_init(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

bool descendants_left(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

/* The parent's id in a line of /proc/PID/stat; the name before it may hold anything. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[512], *name_end;
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	name_end = strrchr(line, ')');
	return name_end && sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static int processes_add(Processes *processes, pid_t pid)
{
	Process *items = processes->items;

	if (processes->n == processes->capacity) {
		processes->capacity = processes->capacity ? processes->capacity * 2 : 64;
		items = realloc(items, processes->capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		processes->items = items;
	}
	items[processes->n++] = (Process){ .pid = pid, .parent = parent_of(pid) };
	return 0;
}

static int processes_read(Processes *processes)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (r == 0 && (entry = readdir(directory))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			r = processes_add(processes, pid);
	}
	closedir(directory);
	return r;
}

static bool is_below(const Processes *processes, pid_t parent)
{
	for (size_t i = 0; i < processes->n; i++)
		if (processes->items[i].below && processes->items[i].pid == parent)
			return true;
	return parent == getpid();
}

static void processes_mark(Processes *processes)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < processes->n; i++) {
			Process *process = &processes->items[i];

			if (process->below || !is_below(processes, process->parent))
				continue;
			process->below = true;
			more = true;
		}
	}
}

/* Between the look and the kill a number may have come to name another process: what is killed is what is held, and
 * only if its parent is still the same. */
static void process_kill(const Process *process)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	bool held = fd >= 0, without = fd < 0 && errno == ENOSYS;

	if (parent_of(process->pid) != process->parent)
		return;
	if (held)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	else if (without)
		kill(process->pid, SIGKILL);
}

static int kill_all(void)
{
	Processes processes = { 0 };
	int r = processes_read(&processes);

	processes_mark(&processes);
	for (size_t i = 0; i < processes.n; i++)
		if (processes.items[i].below)
			process_kill(&processes.items[i]);
	free(processes.items);
	return r;
}

int descendants_end(void)
{
	siginfo_t info;

	while (descendants_left()) {
		int r = kill_all();

		if (r < 0)
			return r;
		/* Waits for the first, takes what has died with it, and looks again: their children fall to us. */
		waitid(P_ALL, 0, &info, WEXITED | __WALL);
		do
			info.si_pid = 0;
		while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid != 0);
	}
	return 0;
}
