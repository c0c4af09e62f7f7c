/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/poller.h"

#include <errno.h>
#include <stdbool.h>

#include "base/io.h"

/* How many were ready. */
static int poller_round(Poller *poller, int fd)
{
	int n = epoll_wait(fd, poller->batch, POLLER_BATCH_MAX, 0);

	if (n <= 0)
		return n < 0 && errno != EINTR ? -errno : 0;
	poller->batch_n = n;
	for (poller->batch_at = 0; poller->batch_at < poller->batch_n; poller->batch_at++) {
		Watch *watch = poller->batch[poller->batch_at].data.ptr;

		if (watch)
			watch->on_ready(watch, poller->batch[poller->batch_at].events);
	}
	poller->batch_n = 0;
	poller->after(poller->context);
	return n;
}

/* What has become ready meanwhile need not go by way of the sd-event loop, which has its own work for each turn. */
static int on_poller(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	int r = 1;

	(void)source;
	(void)revents;
	for (unsigned i = 0; r > 0 && i < POLLER_ROUNDS_MAX; i++)
		r = poller_round(userdata, fd);
	return r < 0 ? r : 0;
}

int poller_init(Poller *poller, sd_event *event, void (*after)(void *context), void *context)
{
	_cleanup_close_ int fd = -EBADF;
	sd_event_source *source;
	int r;

	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return -errno;
	*poller = (Poller){ .fd = -EBADF, .after = after, .context = context };
	r = sd_event_add_io(event, &source, fd, EPOLLIN, on_poller, poller);
	if (r < 0)
		return r;
	poller->fd = take_fd(fd);
	poller->source = source;
	return 0;
}

void poller_done(Poller *poller)
{
	sd_event_source_disable_unref(poller->source);
	fd_close(poller->fd);
	*poller = (Poller){ .fd = -EBADF };
}

int poller_add(Poller *poller, Watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(poller->fd, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		return -errno;
	watch->events = events;
	watch->watched = true;
	return 0;
}

void poller_change(Poller *poller, Watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (!watch->watched || watch->events == events)
		return;
	if (epoll_ctl(poller->fd, EPOLL_CTL_MOD, watch->fd, &event) == 0)
		watch->events = events;
}

void poller_remove(Poller *poller, Watch *watch)
{
	if (!watch->watched)
		return;
	/* its closing alone would not do where a child that is being started still has it, too */
	epoll_ctl(poller->fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->watched = false;
	for (int i = poller->batch_at; i < poller->batch_n; i++)
		if (poller->batch[i].data.ptr == watch)
			poller->batch[i].data.ptr = NULL;
}
