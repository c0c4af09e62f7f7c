/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What hooks print: a pipe to the daemon, which logs each line with the fields of the run. After a hook the pipe must
 * be empty before the next one begins, else its lines would be taken for the next one's. */
#pragma once

#include "worker/channel.h"

typedef struct Output {
	bool piped; /* else there is nobody to wait for */
	dev_t device;
	ino_t inode;
} Output;

void output_init(Output *output);
/** \brief Hands over what was printed and waits, a bounded time, until it was read. -EBADF where a hook has closed or
 * replaced the descriptors. */
int output_settle(const Output *output, const Channel *channel);
/** \brief Writes \p text as lines of the priority \p level. */
int output_log(int level, const char *text);
