/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorder that gets full while ryuso-worker writes to it. */
#include "check_main.h"
#include "worker_story.h"

/* What the daemon does when a recorder is full: the run that is not finished moves into a new one. */
static void move_recorder(Host *host, size_t size)
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

/* Reads until the worker asks for a recorder. */
static void until_full(Host *host, Story *story)
{
	Record record;

	while (atomic_load(&record_page(&host->file)->state) != RECORD_FULL || host_has_record(host, &record)) {
		if (!host_has_record(host, &record)) {
			host_round(host);
			continue;
		}
		ck_assert(host_next(host, &record));
		if (record.kind == RECORD_END)
			tell_end(story, &record);
	}
}

START_TEST(a_full_recorder_is_replaced_before_a_run_begins)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	atomic_store(&record_page(&host.file)->tail, HOST_RECORDER_SIZE - 4096);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	send_three(&host, "ok", "fail", "ok");
	until_full(&host, &story);
	ck_assert_uint_gt(atomic_load(&record_page(&host.file)->wanted), 1U << 20);
	move_recorder(&host, HOST_RECORDER_SIZE);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	/* The order that had come before the recorder is not lost. */
	story = (Story){ 0 };
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2f -1");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

/* A recorder with room for the run and its first step alone. */
static void fill_up(Host *host)
{
	host_init(host, "play");
	host->options[0] = "--pool-max=30000";
	host->options[1] = "--notes-max=20000";
	host->options[2] = "--rectified-max=10000";
	begin(host);
}

static size_t room_wanted(void)
{
	Story story = { 0 };
	size_t wanted;
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, HOST_RECORDER_SIZE - 64);
	send_three(&host, "note", "ok", "ok");
	until_full(&host, &story);
	wanted = atomic_load(&record_page(&host.file)->wanted);
	kill(host.pid, SIGKILL);
	host_reap(&host);
	host_done(&host);
	return wanted;
}

START_TEST(a_recorder_that_gets_full_in_a_run_is_replaced_and_the_run_goes_on)
{
	Story story = { 0 };
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, (HOST_RECORDER_SIZE - room_wanted()) / 8 * 8 - 64);
	host.offset = atomic_load(&record_page(&host.file)->tail);
	send_three(&host, "note", "ok", "fail");
	until_full(&host, &story);
	ck_assert_str_eq(story.trace, "1");
	move_recorder(&host, HOST_RECORDER_SIZE);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
	printed(&host, "undo 1.1 done noted there");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_no_recorder_holds_is_rectified)
{
	Story story = { 0 };
	Host host;

	fill_up(&host);
	atomic_store(&record_page(&host.file)->tail, (HOST_RECORDER_SIZE - room_wanted()) / 8 * 8 - 64);
	host.offset = atomic_load(&record_page(&host.file)->tail);
	send_three(&host, "note", "ok", "ok");
	until_full(&host, &story);
	move_recorder(&host, 32768);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 -1");
	ck_assert_int_eq(story.error, ERROR_INTERRUPTED);
	replied(&story, "the recorder has no room for the rest of the run");
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker_room, a_full_recorder_is_replaced_before_a_run_begins,
	   a_recorder_that_gets_full_in_a_run_is_replaced_and_the_run_goes_on,
	   a_run_that_no_recorder_holds_is_rectified)
