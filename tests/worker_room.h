/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's part where ryuso-worker asks for a new recorder: a file that holds the run's records, and is synced. */
#pragma once

#include "worker_story.h"

/* What the daemon does when a recorder is full: the run that is not finished moves into a new one. */
static inline void move_recorder_as(Host *host, size_t size, bool synced)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	RecordFile old = host->file, file;
	uint64_t tail = atomic_load(&record_page(&old)->tail);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec vector;
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control };
	int fd = host_recorder(size, &file);
	uint64_t sequence = 1;
	Record record;

	if (host->start != 0)
		for (size_t at = host->start; at < tail; at += record.size) {
			ck_assert_int_eq(record_read(old.base, tail, at, HOST_NUMBER, RECORD_SEQUENCE_ANY, &record), 0);
			ck_assert_int_eq(record_append(&file, record.kind, record.content, record.content_size), 0);
			sequence++;
		}
	host->offset = atomic_load(&record_page(&file)->tail);
	host->sequence = sequence;
	host->start = host->start ? RECORD_PAGE_SIZE : 0;
	if (synced)
		atomic_store(&record_page(&file)->synced, atomic_load(&record_page(&file)->tail));
	order_encode_recorder(&frame);
	vector = (struct iovec){ .iov_base = frame.data, .iov_len = frame.size };
	message.msg_controllen = sizeof(control);
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	host->file = file;
	ck_assert_int_eq(sendmsg(host->channel, &message, MSG_NOSIGNAL), (ssize_t)frame.size);
	munmap(old.base, old.size);
	close(host->recorder);
	host->recorder = fd;
}

static inline void move_recorder(Host *host, size_t size)
{
	move_recorder_as(host, size, true);
}

/* Reads until the worker asks for a recorder. */
static inline void until_full(Host *host, Story *story)
{
	Record record;

	while (atomic_load(&record_page(&host->file)->state) != RECORD_FULL || host_has_record(host, &record)) {
		if (!host_has_record(host, &record)) {
			host_round(host);
			continue;
		}
		ck_assert(host_next(host, &record));
		tell(story, &record);
	}
}
