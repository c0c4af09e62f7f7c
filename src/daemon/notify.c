/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/notify.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"

#define NOTIFY_TEXT_MAX (NOTIFY_STATUS_MAX + 64)

static void notify(const char *text)
{
	static bool reported;
	int r = sd_notify(0, text);

	if (r >= 0 || reported)
		return;
	reported = true;
	log_warning("the service manager cannot be told \"%s\" (NOTIFY_SOCKET): %s; going on without", text,
		    strerror(-r));
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_reloading(void)
{
	char text[NOTIFY_TEXT_MAX];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic());
	notify(text);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

void notify_extend(uint64_t usec)
{
	char text[NOTIFY_TEXT_MAX];

	snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
	notify(text);
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}

void notify_status(const char *line)
{
	char text[NOTIFY_TEXT_MAX];

	snprintf(text, sizeof(text), "STATUS=%s", line);
	notify(text);
}
