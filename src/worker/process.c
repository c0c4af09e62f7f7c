/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ryuso/host.h>

#include "base/io.h"
#include "run/order.h"
#include "worker/descendants.h"

#define OOM_SCORE "1000"

/* Handlers and masks of the daemon are not the hooks'. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The parent may have gone before it was asked for: then its end of the channel has, too. */
static int die_with_parent(void)
{
	struct pollfd channel = { .fd = ORDER_FD_CHANNEL };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (poll(&channel, 1, 0) > 0 && (channel.revents & (POLLHUP | POLLNVAL)) != 0)
		return -ECONNRESET;
	return 0;
}

static int limit(__rlimit_resource_t resource, size_t size)
{
	struct rlimit limits = { .rlim_cur = size, .rlim_max = size };

	return setrlimit(resource, &limits) < 0 ? -errno : 0;
}

/* A worker that cannot make itself the first to go is one all the same. */
static void offer_to_oom_killer(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)write_all(fd, OOM_SCORE, strlen(OOM_SCORE));
}

int process_init(size_t memory)
{
	int r;

	reset_signals();
	/* What is typed at the daemon's terminal is not for hooks. Where this process leads a session, it is so already. */
	(void)setsid();
	r = die_with_parent();
	if (r >= 0)
		r = descendants_init();
	if (r >= 0)
		r = limit(RLIMIT_CORE, 0);
	if (r >= 0 && memory > 0)
		r = limit(RLIMIT_AS, memory);
	for (int fd = ORDER_FD_CHANNEL; fd < ORDER_FD_COUNT && r >= 0; fd++)
		r = fd_cloexec(fd, fd != ORDER_FD_TREE);
	/* Maps what it needs, before anything can fail for a run. */
	if (r >= 0)
		r = ryuso_host_enter(NULL);
	if (r < 0)
		return r;
	offer_to_oom_killer();
	prctl(PR_SET_NAME, "ryuso-worker", 0, 0, 0);
	return 0;
}
