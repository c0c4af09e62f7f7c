/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"

#define SETTLE_USEC (200 * USEC_PER_MSEC)
#define SETTLE_STEP_NSEC 100000

void output_init(Output *output)
{
	struct stat status;

	*output = (Output){ 0 };
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fstat(STDOUT_FILENO, &status) < 0 || !S_ISFIFO(status.st_mode))
		return;
	*output = (Output){ .piped = true, .device = status.st_dev, .inode = status.st_ino };
}

static int unread(void)
{
	int n = 0;

	return ioctl(STDOUT_FILENO, FIONREAD, &n) < 0 ? -EBADF : n;
}

static bool is_ours(const Output *output)
{
	struct stat status;

	return fstat(STDOUT_FILENO, &status) == 0 && status.st_dev == output->device && status.st_ino == output->inode;
}

int output_settle(const Output *output, const Channel *channel)
{
	uint64_t until;
	int n, r;

	fflush(stdout);
	if (!output->piped)
		return 0;
	n = unread();
	if (n <= 0)
		return n;
	if (!is_ours(output))
		return -EBADF;
	r = channel_ring(channel);
	if (r < 0)
		return r;
	until = clock_monotonic() + SETTLE_USEC;
	while (n > 0 && clock_monotonic() < until) {
		nanosleep(&(struct timespec){ .tv_nsec = SETTLE_STEP_NSEC }, NULL);
		n = unread();
	}
	return n < 0 ? n : 0;
}

int output_log(int level, const char *text)
{
	_cleanup_buffer_ Buffer lines = { 0 };
	int r;

	while (*text) {
		size_t size = strcspn(text, "\n");

		buffer_format(&lines, "<%d>", level);
		buffer_append(&lines, text, size);
		buffer_text(&lines, "\n");
		text += size + (text[size] == '\n');
	}
	r = buffer_error(&lines);
	return r < 0 ? r : write_all(STDERR_FILENO, lines.data, lines.size);
}
