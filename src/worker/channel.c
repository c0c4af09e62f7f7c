/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/point.h"

#define RECEIVE_SIZE 65536U

int channel_init(Channel *channel)
{
	struct stat status;

	*channel = (Channel){ .recorder = -EBADF };
	if (fstat(ORDER_FD_CHANNEL, &status) < 0)
		return -errno;
	channel->device = status.st_dev;
	channel->inode = status.st_ino;
	return 0;
}

void channel_done(Channel *channel)
{
	buffer_done(&channel->input);
	channel->recorder = fd_close(channel->recorder);
}

int channel_hello(const OrderHello *hello)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	int r;

	order_encode_hello(hello, &frame);
	r = buffer_error(&frame);
	if (r < 0)
		return r;
	POINT("before-hello");
	r = write_all(ORDER_FD_CHANNEL, frame.data, frame.size);
	if (r < 0)
		return r;
	POINT("after-hello");
	return shutdown(ORDER_FD_CHANNEL, SHUT_WR) < 0 ? -errno : 0;
}

int channel_next(Channel *channel, Order *ret)
{
	Order order;
	int r;

	r = order_read(channel->input.data + channel->at, channel->input.size - channel->at, &order);
	if (r == -EAGAIN)
		return 0;
	if (r < 0)
		return r;
	channel->at += order.size;
	*ret = order;
	return 1;
}

static void take_descriptor(Channel *channel, struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	fd_close(channel->recorder);
	channel->recorder = fd;
}

int channel_receive(Channel *channel, bool wait)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector;
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	buffer_consume(&channel->input, TAKE(channel->at, 0));
	vector = (struct iovec){ .iov_base = buffer_reserve(&channel->input, RECEIVE_SIZE), .iov_len = RECEIVE_SIZE };
	if (!vector.iov_base)
		return -ENOMEM;
	do
		n = recvmsg(ORDER_FD_CHANNEL, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	channel->input.size += (size_t)n;
	take_descriptor(channel, &message);
	return n > 0;
}

int channel_ring(const Channel *channel)
{
	struct stat status;
	uint64_t one = 1;

	if (fstat(ORDER_FD_CHANNEL, &status) < 0 || status.st_dev != channel->device || status.st_ino != channel->inode)
		return -EBADF;
	/* An eventfd is of no file type: whatever else a hook left under this number is not rung. */
	if (fstat(ORDER_FD_DOORBELL, &status) < 0 || (status.st_mode & S_IFMT) != 0)
		return -EBADF;
	POINT("before-ring");
	/* A full counter (-EAGAIN) is a ring that was not heard yet. */
	if (write(ORDER_FD_DOORBELL, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return -errno;
	POINT("after-ring");
	return 0;
}
