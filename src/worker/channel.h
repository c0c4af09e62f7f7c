/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's end of the channel (run/order.h) and of the doorbell. A hook may have closed or replaced the
 * descriptors: what is no longer what it was is not written to. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "run/order.h"

typedef struct Channel {
	Buffer input;
	size_t at;    /* up to here, input has been taken */
	int recorder; /* a descriptor that came and was not adopted yet, or -EBADF */
	dev_t device;
	ino_t inode;
} Channel;

int channel_init(Channel *channel);
void channel_done(Channel *channel);
/** \brief Says hello, and never again anything. */
int channel_hello(const OrderHello *hello);
/** \brief The next order that is here: 1; 0 where none is whole. Borrowed until channel_receive(). */
int channel_next(Channel *channel, Order *ret);
/** \brief More orders: 1; 0 where the channel has ended. Waits for them, or, without \p wait, -EAGAIN. */
int channel_receive(Channel *channel, bool wait);
/** \brief Wakes the daemon. -EBADF where the descriptors are not ours any more. */
int channel_ring(const Channel *channel);
