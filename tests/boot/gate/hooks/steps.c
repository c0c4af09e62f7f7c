/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "gen/gate.h"

ryuso_status steps_speak(ryuso_run *run, const struct steps_speak_args *args)
{
	(void)args;
	printf("this was printed\n");
	fprintf(stderr, "this was complained\n");
	ryuso_log(run, RYUSO_NOTICE, "this was logged");
	return RYUSO_OK;
}

ryuso_status steps_wait(ryuso_run *run, const struct steps_wait_args *args)
{
	char path[PATH_MAX], byte;
	ssize_t n;
	int fd;

	(void)args;
	snprintf(path, sizeof(path), "%s/gate", getenv("STATE_DIRECTORY"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ryuso_fail(run, "NoGate", "%s: %s", path, strerror(errno));
	n = read(fd, &byte, 1);
	close(fd);
	return n == 1 ? RYUSO_OK : ryuso_fail(run, "NotOpened", "whoever was at the gate went away");
}

static bool may_write(const char *place)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/ryuso-looks-XXXXXX", place);
	fd = mkstemp(path);
	if (fd < 0)
		return false;
	close(fd);
	unlink(path);
	return true;
}

ryuso_status steps_look(ryuso_run *run, const struct steps_look_args *args, struct steps_look_outputs *out)
{
	struct json_object *writable = json_object_new_array();

	(void)run;
	for (size_t i = 0; i < json_object_array_length(args->places); i++) {
		const char *place = json_object_get_string(json_object_array_get_idx(args->places, i));

		if (may_write(place))
			json_object_array_add(writable, json_object_new_string(place));
	}
	steps_look_set_writable(out, writable);
	json_object_put(writable);
	return RYUSO_OK;
}
