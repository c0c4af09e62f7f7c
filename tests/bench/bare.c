/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one fdatasync costs here: a page of a zero-filled file is written and synced, again and again.
 *
 *   bare FILE SECONDS
 *
 * Prints JSON like load. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE (8U << 20)
#define PAGE_SIZE 4096U
#define SYNCS_MAX 500000

static uint32_t nsec[SYNCS_MAX];

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int make_file(const char *path)
{
	static const char zeroes[PAGE_SIZE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	for (unsigned at = 0; at < FILE_SIZE; at += PAGE_SIZE)
		if (write(fd, zeroes, PAGE_SIZE) != PAGE_SIZE)
			return -1;
	return fsync(fd) < 0 ? -1 : fd;
}

int main(int argc, char **argv)
{
	static char page[PAGE_SIZE];
	uint64_t begun, end, before, after;
	size_t n = 0;
	int fd;

	if (argc != 3) {
		fputs("usage: bare FILE SECONDS\n", stderr);
		return 64;
	}
	fd = make_file(argv[1]);
	if (fd < 0) {
		perror("bare");
		return 1;
	}
	begun = before = now();
	end = begun + (uint64_t)(atof(argv[2]) * 1e9);
	while (before < end && n < SYNCS_MAX) {
		memset(page, (int)n + 1, sizeof(page));
		if (pwrite(fd, page, sizeof(page), (off_t)(n * PAGE_SIZE % FILE_SIZE)) != sizeof(page) ||
		    fdatasync(fd) < 0) {
			perror("bare");
			return 1;
		}
		after = now();
		nsec[n++] = (uint32_t)(after - before);
		before = after;
	}
	unlink(argv[1]);
	qsort(nsec, n, sizeof(*nsec), compare);
	printf("{\"requests\":%zu,\"per_second\":%.1f,\"median_usec\":%.3f}\n", n,
	       (double)n / ((double)(before - begun) / 1e9), (double)nsec[n / 2] / 1e3);
	return 0;
}
