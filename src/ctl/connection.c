/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/connection.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "ctl/exit.h"
#include "ctl/interrupt.h"

#define CHUNK_SIZE 65536U

/** \brief Milliseconds for poll(); -1: for ever. */
static int time_until(uint64_t moment_usec)
{
	uint64_t now, left;

	if (moment_usec == USEC_INFINITY)
		return -1;
	now = clock_monotonic();
	if (now >= moment_usec)
		return 0;
	left = (moment_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return (int)MIN(left, (uint64_t)INT32_MAX);
}

static void tick(Ticker *ticker)
{
	if (ticker && clock_monotonic() >= ticker->next_usec)
		ticker->next_usec = ticker->on_tick(ticker->context);
}

static int wait_for(const Connection *connection, short events)
{
	struct pollfd items[] = { { .fd = connection->fd, .events = events },
				  { .fd = interrupt_fd(), .events = POLLIN } };
	Ticker *ticker = connection->ticker;
	bool over;
	int r;

	do {
		uint64_t moment =
			ticker ? MIN(ticker->next_usec, connection->deadline_usec) : connection->deadline_usec;

		r = poll(items, ELEMENTSOF(items), time_until(moment));
		over = clock_monotonic() >= connection->deadline_usec;
		if (r == 0 && !over)
			tick(ticker);
	} while ((r < 0 && errno == EINTR) || (r == 0 && !over));
	if (r < 0)
		return -errno;
	if (items[1].revents)
		return -EINTR;
	return r == 0 ? -ETIME : 0;
}

/* The kernel ends a connect() that waits for room in the listener's queue by the time-out for sending. */
static int limit_connect(const Connection *connection)
{
	int left = time_until(connection->deadline_usec);
	struct timeval limit = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

	if (left < 0)
		return 0;
	if (left == 0)
		return -ETIME;
	return setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
}

int connection_open(const char *path, uint64_t deadline_usec, Connection *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -EBADF;
	Connection connection;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	connection = (Connection){ .fd = fd, .deadline_usec = deadline_usec };
	r = limit_connect(&connection);
	if (r < 0)
		return r;
	do
		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	while (r < 0 && errno == EINTR && !interrupt_pending());
	if (r < 0)
		return errno == EAGAIN ? -ETIME : -errno;
	r = fd_nonblock(fd, true);
	if (r < 0)
		return r;
	frame_init(&connection.frame, REPLY_SIZE_MAX, JSON_DEPTH_MAX);
	connection.fd = take_fd(fd);
	*ret = connection;
	return 0;
}

void connection_done(Connection *connection)
{
	if (connection->fd < 0)
		return;
	connection->fd = fd_close(connection->fd);
	frame_done(&connection->frame);
}

static int send_all(Connection *connection, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(connection->fd, data, size, MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			data += n;
			size -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(connection, POLLOUT);
		if (r < 0)
			return r;
	}
	return 0;
}

int connection_send(Connection *connection, struct json_object *message)
{
	_cleanup_buffer_ Buffer text = {};
	int r;

	json_write(message, &text);
	buffer_text(&text, "\n");
	r = buffer_error(&text);
	if (r < 0)
		return r;
	return send_all(connection, text.data, text.size);
}

static int receive_some(Connection *connection)
{
	uint8_t chunk[CHUNK_SIZE];
	ssize_t n;
	int r;

	r = wait_for(connection, POLLIN);
	if (r < 0)
		return r;
	n = recv(connection->fd, chunk, sizeof(chunk), 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno == ECONNRESET ? -ENODATA : -errno;
	if (n == 0)
		return -ENODATA;
	return frame_append(&connection->frame, chunk, (size_t)n);
}

int connection_receive(Connection *connection, struct json_object **ret)
{
	for (;;) {
		_cleanup_error_ Error error = {};
		size_t size, members;
		JsonError fault;
		const char *text;
		int r;

		r = frame_next(&connection->frame, &text, &size, &members, &error);
		if (r < 0)
			return r;
		if (r > 0)
			return json_parse(text, size, JSON_DEPTH_MAX, ret, &fault);
		r = receive_some(connection);
		if (r < 0)
			return r;
	}
}

static void name_unit(const Options *options, Buffer *message)
{
	if (options->instance)
		buffer_format(message, "ryuso@%s.socket", options->instance);
	else
		buffer_text(message, "ryuso.socket");
}

static void explain_absent(const Options *options, const char *verb, Buffer *message)
{
	if (options->socket_given) {
		buffer_text(message, "is ryusod running with --socket ");
		text_escape(options->socket, strlen(options->socket), SIZE_MAX, message);
		buffer_text(message, "?");
		return;
	}
	buffer_format(message, "start it with:  systemctl %s%s ", options->user ? "--user " : "", verb);
	name_unit(options, message);
}

static void explain_denied(const Options *options, Buffer *message)
{
	struct stat status;
	const struct group *group;
	const struct passwd *user;

	if (stat(options->socket, &status) < 0) {
		buffer_text(message, "a directory above it is closed to you; see ls -ld on each of them");
		return;
	}
	if (!(status.st_mode & S_IWGRP)) {
		buffer_text(message, "only its owner may connect; see SocketMode= in systemd.socket(5)");
		return;
	}
	group = getgrgid(status.st_gid);
	user = getpwuid(geteuid());
	if (!group) {
		buffer_format(message, "it belongs to group %u, which has no name", (unsigned)status.st_gid);
		return;
	}
	buffer_format(message, "it belongs to group %s. Add yourself:  usermod -aG %s %s  (as root; then log in again)",
		      group->gr_name, group->gr_name, user ? user->pw_name : "USER");
}

int connection_explain(const Options *options, int error, Buffer *message)
{
	_cleanup_buffer_ Buffer path = {};
	const char *socket;

	text_escape(options->socket, strlen(options->socket), SIZE_MAX, &path);
	buffer_u8(&path, '\0');
	socket = buffer_error(&path) < 0 ? "the socket" : (const char *)path.data;
	switch (-error) {
	case ENOENT:
		buffer_format(message, "there is no socket %s; ", socket);
		explain_absent(options, "start", message);
		return EXIT_ABSENT;
	case ECONNREFUSED:
		buffer_format(message, "nobody listens at %s; ", socket);
		explain_absent(options, "restart", message);
		return EXIT_ABSENT;
	case EACCES:
	case EPERM:
		buffer_format(message, "not allowed to connect to %s: ", socket);
		explain_denied(options, message);
		return EXIT_DENIED;
	case ETIME:
		buffer_format(message, "the daemon at %s took no connection within the time of --timeout; nothing ran",
			      socket);
		return EXIT_ABSENT;
	default:
		buffer_format(message, "cannot connect to %s: %s; nothing ran", socket, strerror(-error));
		return EXIT_ABSENT;
	}
}
