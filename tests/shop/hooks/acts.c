/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that write down that they ran, then do what a file of their name says: "fail", "unknown", "crash", or "wait" for
 * as long as it is there. Without one they end well. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen/shop.h"

static void write_down(ryuso_run *run, const char *dir)
{
	char path[PATH_MAX], line[256];
	int fd, n;

	n = snprintf(line, sizeof(line), "%s %u%s\n", ryuso_hook_name(run), ryuso_step(run),
		     ryuso_rectifying(run) && ryuso_in_doubt(run) ? " in doubt" : "");
	snprintf(path, sizeof(path), "%s/log", dir);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* What the file says; "" where there is none. */
static void read_word(ryuso_run *run, const char *dir, char *word, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, ryuso_hook_name(run));
	*word = '\0';
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(word, (int)size, file))
		*word = '\0';
	fclose(file);
}

static ryuso_status obey(ryuso_run *run, const char *dir)
{
	const struct timespec pause = { 0, 1000000 };
	char word[32];

	write_down(run, dir);
	for (read_word(run, dir, word, sizeof(word)); strcmp(word, "wait") == 0;
	     read_word(run, dir, word, sizeof(word)))
		nanosleep(&pause, NULL);
	if (strcmp(word, "fail") == 0)
		return ryuso_fail(run, "OutOfOrder", "%s does not work today", ryuso_hook_name(run));
	if (strcmp(word, "unknown") == 0)
		return ryuso_unknown(run, "Lost", "%s cannot tell", ryuso_hook_name(run));
	if (strcmp(word, "crash") == 0)
		abort();
	return RYUSO_OK;
}

ryuso_status acts_act(ryuso_run *run, const struct acts_act_args *args)
{
	return obey(run, args->dir);
}

ryuso_status acts_charge(ryuso_run *run, const struct acts_charge_args *args, struct acts_charge_outputs *out)
{
	ryuso_status status = obey(run, args->dir);

	if (status != RYUSO_OK)
		return status;
	acts_charge_set_receipt(out, "R-1");
	acts_charge_set_code(out, args->pin ? args->pin : "none");
	return RYUSO_OK;
}
