/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/exit.h"
#include "ctl/output.h"

#define LESS_OPTIONS "FRSXMK" /* as systemd's */

static pid_t pager = -1;

/** \brief Whether the environment may be somebody else's. */
static bool is_borrowed(void)
{
	return getenv("SUDO_UID") || getenv("PKEXEC_UID") || geteuid() != getuid() || getegid() != getgid();
}

/** \brief The command for a shell; "": none is wanted; NULL: nobody has said. */
static const char *find_command(void)
{
	static const char *const variables[] = { "RYUSO_PAGER", "SYSTEMD_PAGER", "PAGER" };

	for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
		const char *command = getenv(variables[i]);

		if (command)
			return strcmp(command, "cat") == 0 ? "" : command;
	}
	return NULL;
}

static _Noreturn void run_pager(const char *command, bool borrowed, bool utf8)
{
	const char *options = getenv("SYSTEMD_LESS");

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	setenv("LESS", options && !borrowed ? options : LESS_OPTIONS, 1);
	if (utf8)
		setenv("LESSCHARSET", "utf-8", 1);
	if (borrowed)
		setenv("LESSSECURE", "1", 1);
	if (command)
		execl("/bin/sh", "sh", "-c", command, NULL);
	else
		execlp("less", "less", NULL);
	if (!borrowed)
		execlp("more", "more", NULL);
	execlp("cat", "cat", NULL);
	_exit(127);
}

/** \brief The child that reads what is written to \p ret_fd. */
static pid_t start(const char *command, bool borrowed, bool utf8, int *ret_fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		run_pager(command, borrowed, utf8);
	}
	close(ends[0]);
	if (pid < 0)
		close(ends[1]);
	else
		*ret_fd = ends[1];
	return pid;
}

void pager_open(const Ctl *ctl)
{
	bool borrowed = is_borrowed();
	const char *command = borrowed ? NULL : find_command();
	int fd = -EBADF;

	if (pager > 0 || !ctl->output.terminal || ctl->options.no_pager || ctl->options.quiet)
		return;
	if (command && command[0] == '\0')
		return;
	fflush(stdout);
	pager = start(command, borrowed, ctl->output.utf8, &fd);
	if (pager < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	close(fd);
	/* its reader may leave before the end, and leaves by ^C as they please */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
}

bool pager_is_open(void)
{
	return pager > 0;
}

void pager_close(void)
{
	int status;

	if (pager <= 0)
		return;
	fflush(stdout);
	close(STDOUT_FILENO);
	while (waitpid(pager, &status, 0) < 0 && errno == EINTR)
		;
	pager = -1;
}

int pager_show(const Ctl *ctl, struct json_object *result,
	       int (*write)(const Ctl *ctl, struct json_object *result, Buffer *text))
{
	_cleanup_buffer_ Buffer text = {};
	int r = 0;

	if (ctl->options.json != JSON_STYLE_NONE)
		output_json(result, ctl->options.json, &text);
	else
		r = write(ctl, result, &text);
	if (r >= 0)
		r = buffer_error(&text);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	pager_open(ctl);
	ctl_put(ctl, &text);
	return EXIT_SUCCEEDED;
}
