/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hand_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/io.h"
#include "daemon/descriptors.h"

#define CHANNEL_SPACE (1 << 20)

/* The far ends, all above the numbers that they become. */
typedef struct FarEnds {
	int items[ORDER_FD_COUNT]; /* 0, and 1 and 2 which are one, and ORDER_FD_… */
} FarEnds;

static void far_ends_close(FarEnds *ends)
{
	for (size_t i = 0; i < ORDER_FD_COUNT; i++)
		fd_close(ends->items[i]);
}

static int lift(int fd, int *ret)
{
	int lifted = fcntl(fd, F_DUPFD_CLOEXEC, ORDER_FD_COUNT);

	if (lifted < 0)
		return -errno;
	*ret = lifted;
	return 0;
}

int hand_reopen(int fd)
{
	char path[32];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, O_RDWR | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

static int lift_recorder(int recorder_fd, int *ret)
{
	_cleanup_close_ int fd = hand_reopen(recorder_fd);

	return fd < 0 ? fd : lift(fd, ret);
}

static int open_channel(Hand *hand, FarEnds *ends)
{
	int size = CHANNEL_SPACE;
	int pair[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* a batch should go out in one piece; where the system allows less, it goes out in more */
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	hand->channel.fd = pair[0];
	r = lift(pair[1], &ends->items[ORDER_FD_CHANNEL]);
	fd_close(pair[1]);
	return r;
}

static int open_pipe(Hand *hand, FarEnds *ends)
{
	int pair[2];
	int r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	hand->pipe.fd = pair[0];
	r = lift(pair[1], &ends->items[1]);
	if (r >= 0)
		r = lift(pair[1], &ends->items[2]);
	fd_close(pair[1]);
	return r < 0 ? r : fd_nonblock(hand->pipe.fd, true);
}

static int open_ends(const HandSetup *setup, Hand *hand, FarEnds *ends)
{
	_cleanup_close_ int null = -EBADF;
	int r;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	hand->doorbell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hand->doorbell.fd < 0)
		return -errno;
	r = open_channel(hand, ends);
	if (r >= 0)
		r = open_pipe(hand, ends);
	if (r >= 0)
		r = lift(null, &ends->items[0]);
	if (r >= 0)
		r = lift(hand->doorbell.fd, &ends->items[ORDER_FD_DOORBELL]);
	if (r >= 0)
		r = lift(setup->module_fd, &ends->items[ORDER_FD_MODULE]);
	if (r >= 0)
		r = lift_recorder(setup->recorder_fd, &ends->items[ORDER_FD_RECORDER]);
	if (r >= 0)
		r = lift(setup->tree_fd >= 0 ? setup->tree_fd : null, &ends->items[ORDER_FD_TREE]);
	return r;
}

/* What speaks of ryusod itself is not for those whom it starts. */
static bool is_ours(const char *variable)
{
	static const char *const names[] = { "NOTIFY_SOCKET=",  "LISTEN_PID=",   "LISTEN_FDS=",
					     "LISTEN_FDNAMES=", "WATCHDOG_PID=", "WATCHDOG_USEC=" };

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static char **worker_environment(void)
{
	size_t n = 0, kept = 0;
	char **variables;

	while (environ[n])
		n++;
	variables = calloc(n + 1, sizeof(*variables));
	if (!variables)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			variables[kept++] = environ[i];
	return variables;
}

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const FarEnds *ends)
{
	sigset_t none, all;
	int r = 0;

	sigemptyset(&none);
	sigfillset(&all);
	for (int i = 0; r == 0 && i < ORDER_FD_COUNT; i++)
		r = posix_spawn_file_actions_adddup2(actions, ends->items[i], i);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -r;
}

static int spawn(const HandSetup *setup, const FarEnds *ends, pid_t *ret_pid)
{
	_cleanup_free_ char **variables = worker_environment();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	if (!variables)
		return -ENOMEM;
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	r = set_up(&actions, &attributes, ends);
	if (r == 0)
		r = -posix_spawn(ret_pid, setup->program, &actions, &attributes, setup->arguments, variables);
	/* where that is not permitted, it has more of them */
	if (r == 0)
		(void)descriptors_give(*ret_pid);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

int hand_spawn(const HandSetup *setup, Hand *hand)
{
	FarEnds ends;
	int r;

	for (size_t i = 0; i < ORDER_FD_COUNT; i++)
		ends.items[i] = -EBADF;
	r = open_ends(setup, hand, &ends);
	if (r >= 0)
		r = spawn(setup, &ends, &hand->pid);
	far_ends_close(&ends);
	return r;
}
