/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gen/hello.h"

ryuso_status greeting_compose(ryuso_run *run, const struct greeting_compose_args *args,
			      struct greeting_compose_outputs *out)
{
	char greeting[256];
	int n = snprintf(greeting, sizeof(greeting), "Hello, %s!", args->name);

	if (n < 0 || (size_t)n >= sizeof(greeting))
		return ryuso_fail(run, "NameTooLong", "the greeting would be longer than %zu bytes",
				  sizeof(greeting) - 1);
	greeting_compose_set_greeting(out, greeting);
	return RYUSO_OK;
}

/* The token is the same for every attempt of this call, and never another's: a file of that name is this call's. */
static int find_place(char place[static PATH_MAX], const char *directory, const char *token)
{
	int n = snprintf(place, PATH_MAX, "%s/greeting-%s", directory, token);

	return n > 0 && n < PATH_MAX ? 0 : -1;
}

/* What a hook says it has done must be on the disk, and so must be what it has undone. */
static int sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

static int write_file(const char *place, const char *text)
{
	int fd = open(place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = -1;

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0)
		r = 0;
	return close(fd) == 0 ? r : -1;
}

ryuso_status greeting_put_up(ryuso_run *run, const struct greeting_put_up_args *args,
			     struct greeting_put_up_outputs *out)
{
	char place[PATH_MAX];

	if (find_place(place, args->directory, ryuso_token(run)) < 0)
		return ryuso_fail(run, "BadDirectory", "the name of the directory is too long");
	if (access(args->directory, W_OK) < 0)
		return ryuso_fail(run, "BadDirectory", "cannot write in %s: %s", args->directory, strerror(errno));
	if (write_file(place, args->greeting) < 0 || sync_directory(args->directory) < 0)
		return ryuso_unknown(run, "NotWritten", "cannot write all of %s: %s", place, strerror(errno));
	greeting_put_up_set_file(out, place);
	return RYUSO_OK;
}

/* A rectifier may be called again, and where there is nothing to undo. */
ryuso_status greeting_take_down(ryuso_run *run, const struct greeting_take_down_args *args)
{
	const char *undone = ryuso_undone_token(run);
	char place[PATH_MAX];

	if (!undone || find_place(place, args->directory, undone) < 0)
		return ryuso_fail(run, "NothingToUndo", "this hook only takes back what put_up has done");
	if ((unlink(place) < 0 && errno != ENOENT) || sync_directory(args->directory) < 0)
		return ryuso_fail(run, "NotRemoved", "cannot remove %s: %s", place, strerror(errno));
	return RYUSO_OK;
}

ryuso_status greeting_read_out(ryuso_run *run, const struct greeting_read_out_args *args)
{
	if (strcmp(args->name, "nobody") == 0)
		return ryuso_fail(run, "NobodyThere", "nobody is there to be greeted");
	ryuso_log(run, RYUSO_NOTICE, "%s", args->greeting);
	return RYUSO_OK;
}
