/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/macro.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t came;
static int bell = -EBADF;

static void on_signal(int number)
{
	uint64_t one = 1;
	int error = errno;
	ssize_t n;

	came = number;
	n = write(bell, &one, sizeof(one));
	(void)n; /* full: it is readable already */
	errno = error;
}

int interrupt_watch(void)
{
	struct sigaction action = { .sa_handler = on_signal }, before;

	if (bell >= 0)
		return 0;
	bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell < 0)
		return -errno;
	for (size_t i = 0; i < ELEMENTSOF(caught); i++)
		if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(caught[i], &action, NULL);
	return 0;
}

int interrupt_fd(void)
{
	return bell;
}

bool interrupt_pending(void)
{
	return came != 0;
}

void interrupt_pass_on(void)
{
	if (came == 0)
		return;
	signal(came, SIG_DFL);
	raise(came);
}
