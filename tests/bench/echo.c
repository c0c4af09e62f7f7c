/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The measure of all: the plainest server that there can be. echo SOCKET: accept, read up to a newline, write the same
 * back, close, one connection after another. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

static void serve(int fd)
{
	static char line[1 << 16];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(line) && (n = recv(fd, line + size, sizeof(line) - size, 0)) > 0) {
		size += (size_t)n;
		if (line[size - 1] != '\n')
			continue;
		send(fd, line, size, MSG_NOSIGNAL);
		return;
	}
}

int main(int argc, char **argv)
{
	int listener = argc == 2 ? listen_at(argv[1]) : -1;
	int fd;

	if (listener < 0) {
		perror("echo: expected the path of a socket that is not there yet");
		return 1;
	}
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			perror("echo: accept");
			return 1;
		}
		serve(fd);
		close(fd);
	}
}
