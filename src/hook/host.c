/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hook/current.h"

static __thread ryuso_run *current;
/* A page that the kernel wipes in every forked child: so a copy of the process is known without a system call. */
static volatile uint32_t *original;

static int original_map(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	if (madvise(page, size, MADV_WIPEONFORK) < 0) {
		int r = -errno;

		munmap(page, size);
		return r;
	}
	original = page;
	return 0;
}

int ryuso_host_enter(ryuso_run *run)
{
	if (!original) {
		int r = original_map();

		if (r < 0)
			return r;
	}
	*original = 1;
	current = run;
	return 0;
}

bool ryuso_host_is_original(void)
{
	return original && *original == 1;
}

bool hook_current(const ryuso_run *run)
{
	return run && run == current && ryuso_host_is_original();
}
