/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/listener.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/macro.h"
#include "daemon/descriptors.h"

/* It may come and go many times a second: that is told once. */
static void listener_pause(Listener *listener, int error)
{
	uint64_t now = clock_monotonic();

	if (listener->last_pause_usec == 0 || now - listener->last_pause_usec > LISTENER_CALM_USEC)
		log_warning("cannot accept connections: %s; those that come wait until some are free (LimitNOFILE=)",
			    strerror(error));
	listener->paused_since_usec = listener->last_pause_usec = now;
	for (size_t i = 0; i < listener->n_sockets; i++)
		poller_remove(listener->poller, &listener->sockets[i].watch);
}

static void on_listener(Watch *watch, uint32_t events)
{
	Listener *listener = watch_owner(watch, ListenerSocket)->listener;
	int fd;

	(void)events;
	for (unsigned i = 0; i < LISTENER_BATCH_MAX; i++) {
		fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd < 0) {
			listener_pause(listener, errno);
			return;
		}
		listener->on_connection(fd, listener->context);
		if (fd >= listener->ceiling) {
			listener_pause(listener, EMFILE);
			return;
		}
	}
}

void listener_init(Listener *listener, Poller *poller, void (*on_connection)(int fd, void *context), void *context)
{
	*listener = (Listener){ .poller = poller, .on_connection = on_connection, .context = context };
}

void listener_done(Listener *listener)
{
	for (size_t i = 0; i < listener->n_sockets; i++) {
		poller_remove(listener->poller, &listener->sockets[i].watch);
		fd_close(listener->sockets[i].watch.fd);
	}
	listener->n_sockets = 0;
	if (listener->path)
		unlink(listener->path);
	free(listener->path);
	listener->path = NULL;
}

static int listener_add(Listener *listener, int fd)
{
	ListenerSocket *socket;
	int r;

	if (listener->n_sockets == LISTENER_SOCKETS_MAX)
		return -E2BIG;
	r = fd_nonblock(fd, true);
	if (r < 0)
		return r;
	socket = &listener->sockets[listener->n_sockets++];
	*socket = (ListenerSocket){ .watch = { .fd = fd, .on_ready = on_listener }, .listener = listener };
	return 0;
}

int listener_inherit(Listener *listener)
{
	char **names = NULL;
	int n, r = 0;

	n = sd_listen_fds_with_names(1, &names);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (r >= 0)
			r = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0 ? listener_add(listener, fd) : -EINVAL;
		free(names[i]);
	}
	free(names);
	return r < 0 ? r : n;
}

/* 0 where \p address is free now. */
static int clear_stale(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

int listener_open(Listener *listener, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *copy = strdup(path);
	mode_t mask;
	int r;

	if (!copy)
		return -ENOMEM;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	r = clear_stale(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117); /* the mode that it has from its first moment on: 0660 */
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return r;
	listener->path = take_ptr(copy);
	if (listen(fd, SOMAXCONN) < 0)
		return -errno;
	r = listener_add(listener, fd);
	if (r < 0)
		return r;
	take_fd(fd);
	return 0;
}

int listener_enable(Listener *listener)
{
	int r;

	listener->paused_since_usec = 0;
	listener->ceiling = descriptors_ceiling();
	for (size_t i = 0; i < listener->n_sockets; i++) {
		if (listener->sockets[i].watch.watched)
			continue;
		r = poller_add(listener->poller, &listener->sockets[i].watch, EPOLLIN);
		if (r < 0)
			return r;
	}
	listener->enabled = true;
	return 0;
}

bool listener_waiting(const Listener *listener)
{
	struct pollfd ready[LISTENER_SOCKETS_MAX];

	for (size_t i = 0; i < listener->n_sockets; i++)
		ready[i] = (struct pollfd){ .fd = listener->sockets[i].watch.fd, .events = POLLIN };
	return poll(ready, listener->n_sockets, 0) != 0; /* where that cannot be known, somebody may have */
}

void listener_disable(Listener *listener)
{
	listener->enabled = false;
	listener->paused_since_usec = 0;
	for (size_t i = 0; i < listener->n_sockets; i++)
		poller_remove(listener->poller, &listener->sockets[i].watch);
}

void listener_check(Listener *listener, uint64_t now_usec)
{
	if (!listener->paused_since_usec || now_usec - listener->paused_since_usec < LISTENER_PAUSE_USEC)
		return;
	if (!descriptors_are_free() || listener_enable(listener) < 0)
		listener->paused_since_usec = listener->last_pause_usec = now_usec;
}
