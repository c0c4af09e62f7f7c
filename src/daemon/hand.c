/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/point.h"
#include "daemon/hand_spawn.h"

#define RECEIVE_SIZE 65536U
#define DRAIN_ROUNDS 16 /* the largest pipe; what a process left behind goes on printing is not waited for */

static void hand_enter(Hand *hand, HandState state)
{
	hand->state = state;
	hand->state_since_usec = clock_monotonic();
}

static void on_line(void *context, int priority, const char *text, size_t size)
{
	Hand *hand = context;

	hand->events->on_line(hand, priority, text, size, hand->context);
}

void hand_drain(Hand *hand)
{
	bool more = hand->pipe.fd >= 0;

	for (unsigned i = 0; more && i < DRAIN_ROUNDS; i++)
		more = output_drain(&hand->output, hand->pipe.fd, on_line, hand);
}

void hand_end_line(Hand *hand)
{
	output_finish(&hand->output, on_line, hand);
}

static void on_pipe(Watch *watch, uint32_t events)
{
	Hand *hand = (Hand *)((char *)watch - offsetof(Hand, pipe));

	(void)events;
	/* There is something in the pipe, and a hook does not end before it is read: it belongs to what the recorder
	 * says is in hand. What comes after this one read may be the next hook's. */
	hand->events->on_doorbell(hand, hand->context);
	output_drain(&hand->output, hand->pipe.fd, on_line, hand);
	if (hand->output.ended)
		poller_remove(hand->poller, &hand->pipe);
}

static void on_doorbell(Watch *watch, uint32_t events)
{
	Hand *hand = (Hand *)((char *)watch - offsetof(Hand, doorbell));

	(void)events;
	hand->events->on_doorbell(hand, hand->context);
}

static void hand_break(Hand *hand)
{
	if (hand->broken)
		return;
	hand->broken = true;
	poller_remove(hand->poller, &hand->channel);
	hand->events->on_broken(hand, hand->context);
}

/* What has come: > 0; the end of it: 0. */
static ssize_t hand_fill(Hand *hand)
{
	uint8_t *at = buffer_reserve(&hand->inbox, RECEIVE_SIZE);
	ssize_t n;

	if (!at)
		return 0;
	n = recv(hand->channel.fd, at, RECEIVE_SIZE, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
	hand->inbox.size += (size_t)n;
	return n;
}

/* The channel's way back carries one hello and then its end. */
static void hand_parse(Hand *hand)
{
	OrderHello hello;
	Order order;
	int r;

	r = order_read(hand->inbox.data, hand->inbox.size, &order);
	if (r == -EAGAIN)
		return;
	if (r < 0 || order.kind != ORDER_HELLO || order_decode_hello(&order, &hello) < 0) {
		hand->events->on_nonsense(hand, hand->context);
		return;
	}
	hand_enter(hand, HAND_READY);
	poller_change(hand->poller, &hand->channel, 0);
	hand->events->on_hello(hand, &hello, hand->context);
	buffer_done(&hand->inbox);
}

static void hand_receive(Hand *hand)
{
	ssize_t n = hand_fill(hand);

	if (n > 0)
		hand_parse(hand);
	else if (n == 0)
		hand->events->on_nonsense(hand, hand->context);
}

void hand_hear(Hand *hand)
{
	while (hand->state == HAND_STARTING && hand_fill(hand) > 0)
		hand_parse(hand);
}

static void on_channel(Watch *watch, uint32_t events)
{
	Hand *hand = (Hand *)((char *)watch - offsetof(Hand, channel));

	if (hand->state == HAND_STARTING && (events & EPOLLIN))
		hand_receive(hand);
	else if (events & EPOLLOUT)
		hand_flush(hand);
	if ((events & (EPOLLHUP | EPOLLERR)) && hand->state != HAND_STARTING)
		hand_break(hand);
}

static int hand_watch(Hand *hand)
{
	int r;

	hand->channel.on_ready = on_channel;
	hand->doorbell.on_ready = on_doorbell;
	hand->pipe.on_ready = on_pipe;
	r = poller_add(hand->poller, &hand->channel, EPOLLIN);
	if (r >= 0) /* each ring is an edge: the counter need not be read */
		r = poller_add(hand->poller, &hand->doorbell, EPOLLIN | EPOLLET);
	if (r >= 0)
		r = poller_add(hand->poller, &hand->pipe, EPOLLIN);
	return r;
}

int hand_new(const HandSetup *setup, Hand **ret)
{
	Hand *hand = calloc(1, sizeof(*hand));
	int r;

	if (!hand)
		return -ENOMEM;
	hand->channel.fd = hand->doorbell.fd = hand->pipe.fd = -EBADF;
	hand->recorder_fd = -EBADF;
	hand->poller = setup->poller;
	hand->events = setup->events;
	hand->context = setup->context;
	r = hand_spawn(setup, hand);
	if (r < 0) {
		hand_free(hand);
		return r;
	}
	hand_enter(hand, HAND_STARTING);
	if (hand_watch(hand) < 0)
		hand_kill(hand);
	*ret = hand;
	return 0;
}

Hand *hand_free(Hand *hand)
{
	if (!hand)
		return NULL;
	output_finish(&hand->output, on_line, hand);
	poller_remove(hand->poller, &hand->channel);
	poller_remove(hand->poller, &hand->doorbell);
	poller_remove(hand->poller, &hand->pipe);
	fd_close(hand->channel.fd);
	fd_close(hand->doorbell.fd);
	fd_close(hand->pipe.fd);
	fd_close(hand->recorder_fd);
	buffer_done(&hand->inbox);
	buffer_done(&hand->outbox);
	free(hand);
	return NULL;
}

void hand_order(Hand *hand, const void *frames, size_t size)
{
	buffer_append(&hand->outbox, frames, size);
}

int hand_order_recorder(Hand *hand, int recorder_fd)
{
	int fd = hand_reopen(recorder_fd);

	if (fd < 0)
		return fd;
	if (hand->recorder_fd >= 0) { /* one that it has not been sent yet: this one counts */
		fd_close(hand->recorder_fd);
		hand->recorder_fd = fd;
		return 0;
	}
	hand->recorder_fd = fd;
	hand->recorder_at = hand->outbox.size;
	order_encode_recorder(&hand->outbox);
	return buffer_error(&hand->outbox);
}

static ssize_t send_with_fd(int channel, const void *data, size_t size, int fd)
{
	struct iovec content = { .iov_base = (void *)data, .iov_len = size };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &content,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* One message: up to the frame that a descriptor goes with, or beginning with it. */
static ssize_t hand_send(Hand *hand)
{
	const uint8_t *from = hand->outbox.data + hand->sent;
	size_t left = hand->outbox.size - hand->sent;
	ssize_t n;

	if (hand->recorder_fd < 0 || hand->sent < hand->recorder_at)
		return send(hand->channel.fd, from, hand->recorder_fd < 0 ? left : hand->recorder_at - hand->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	n = send_with_fd(hand->channel.fd, from, left, hand->recorder_fd);
	if (n > 0)
		hand->recorder_fd = fd_close(hand->recorder_fd);
	return n;
}

/* What is to be said cannot be: it does what it has been told, then it ends. */
static void hand_cut(Hand *hand)
{
	(void)shutdown(hand->channel.fd, SHUT_WR);
	hand_break(hand);
}

void hand_flush(Hand *hand)
{
	ssize_t n;

	while (!hand->broken && hand->sent < hand->outbox.size) {
		POINT("before-order-sent");
		n = hand_send(hand);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			poller_change(hand->poller, &hand->channel, EPOLLOUT);
			return;
		}
		if (n < 0) {
			hand_cut(hand);
			return;
		}
		hand->sent += (size_t)n;
		POINT("after-order-sent");
	}
	if (hand->broken || hand->sent < hand->outbox.size)
		return;
	if (buffer_error(&hand->outbox) < 0) { /* what came behind it is missing */
		hand_cut(hand);
		return;
	}
	hand->sent = 0;
	buffer_clear(&hand->outbox);
	if (hand->state != HAND_STARTING)
		poller_change(hand->poller, &hand->channel, 0);
}

size_t hand_unsent(const Hand *hand)
{
	return hand->outbox.size - hand->sent;
}

void hand_leave(Hand *hand)
{
	if (hand->state != HAND_READY)
		return;
	hand_enter(hand, HAND_LEAVING);
	if (shutdown(hand->channel.fd, SHUT_WR) < 0)
		hand_kill(hand);
}

void hand_expect_end(Hand *hand)
{
	if (hand->state == HAND_READY)
		hand_enter(hand, HAND_LEAVING);
}

void hand_kill(Hand *hand)
{
	if (hand->state == HAND_KILLED)
		return;
	hand_enter(hand, HAND_KILLED);
	kill(hand->pid, SIGKILL); /* it is our child and not reaped: the pid is its own */
}
