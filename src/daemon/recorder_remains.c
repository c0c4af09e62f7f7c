/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/recorder.h"

static void take_start(const Record *record, RecorderRemains *remains)
{
	RecordStart start;

	if (record_decode_start(record, &start) < 0) {
		remains->damaged = true;
		return;
	}
	remains->unfinished = true;
	remains->run = start.run;
	memset(remains->program, 0, sizeof(remains->program));
	memcpy(remains->program, start.program, MIN(start.program_size, sizeof(remains->program) - 1));
}

/* Runs are strictly one after another: the last START counts. */
static void scan(const RecordFile *file, RecorderRemains *remains)
{
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	size_t offset = RECORD_PAGE_SIZE;
	Record record;

	while (record_read(file->base, file->size, offset, record_page(file)->number, sequence, &record) == 0) {
		if (record.kind == RECORD_START)
			take_start(&record, remains);
		else if (record.kind == RECORD_FINISH)
			remains->unfinished = false;
		offset += record.size;
		sequence = record.sequence + 1;
	}
}

int recorder_inspect(const char *path, RecorderRemains *ret)
{
	_cleanup_close_ int fd = -EBADF;
	RecorderRemains remains = { 0 };
	struct stat status;
	RecordFile file;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		return -errno;
	file.size = (size_t)status.st_size;
	if (!S_ISREG(status.st_mode) || file.size < RECORD_PAGE_SIZE) {
		*ret = (RecorderRemains){ .damaged = true };
		return 0;
	}
	file.base = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.base == MAP_FAILED)
		return -errno;
	if (record_page_check(&file) < 0)
		remains.damaged = true;
	else
		scan(&file, &remains);
	munmap(file.base, file.size);
	*ret = remains;
	return 0;
}

#define KEPT_MAX 1000U

int recorder_keep_aside(const char *directory, const char *word)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" RECORDER_NAME, directory) < 0)
		return -ENOMEM;
	for (unsigned i = 1; i <= KEPT_MAX; i++) {
		_cleanup_free_ char *kept = NULL;

		if (asprintf(&kept, "%s.%s-%u", path, word, i) < 0)
			return -ENOMEM;
		if (renameat2(AT_FDCWD, path, AT_FDCWD, kept, RENAME_NOREPLACE) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}
