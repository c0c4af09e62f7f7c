/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library to be preloaded: files that a test has made anew are where they were. $DISK_PLACES names a file of lines "inode
 * inode microseconds": the inode as it is now; inode and time of birth (0: unknown) as they were. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLACES_MAX 4096

static struct {
	uint64_t now, inode, born_usec;
} places[PLACES_MAX];
static size_t n_places;

static void __attribute__((constructor)) start(void)
{
	const char *path = getenv("DISK_PLACES");
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!file)
		return;
	while (n_places < PLACES_MAX && fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &places[n_places].now,
					       &places[n_places].inode, &places[n_places].born_usec) == 3)
		n_places++;
	fclose(file);
}

int statx(int at, const char *path, int flags, unsigned mask, struct statx *ret)
{
	int r = (int)syscall(SYS_statx, at, path, flags, mask, ret);

	for (size_t i = 0; r == 0 && i < n_places; i++) {
		if (places[i].now != ret->stx_ino)
			continue;
		ret->stx_ino = places[i].inode;
		ret->stx_mask = places[i].born_usec ? ret->stx_mask | STATX_BTIME : ret->stx_mask & ~STATX_BTIME;
		ret->stx_btime = (struct statx_timestamp){
			.tv_sec = (int64_t)(places[i].born_usec / 1000000U),
			.tv_nsec = (uint32_t)(places[i].born_usec % 1000000U * 1000U),
		};
		break;
	}
	return r;
}
