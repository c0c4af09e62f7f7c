/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ctl/exit.h"
#include "ctl/interrupt.h"
#include "ctl/pager.h"
#include "ctl/verb.h"

static int finish(const Ctl *ctl, int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || pager_is_open())
		return status;
	ctl_complain(ctl, status, "cannot write to standard output: %s", strerror(errno));
	return status == EXIT_SUCCEEDED ? EXIT_WRITING : status;
}

int main(int argc, char **argv)
{
	Ctl ctl = { .connection.fd = -EBADF };
	_cleanup_buffer_ Buffer message = {};
	int first, status, r;

	setlocale(LC_CTYPE, "");
	output_init(&ctl.output);
	r = options_parse(argc, argv, &ctl.options, &first, &message);
	if (r == -EINVAL)
		return ctl_complain_text(&ctl, EXIT_USAGE, &message);
	if (r < 0)
		return ctl_complain_errno(&ctl, r);
	status = verb_run(&ctl, argv + first, (size_t)(argc - first));
	status = finish(&ctl, status);
	pager_close();
	ctl_done(&ctl);
	interrupt_pass_on();
	return status;
}
