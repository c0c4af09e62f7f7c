/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that print, log and end as the request's script says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "gen/talk.h"

/* One item of the script: the verb is known already. */
typedef struct Line {
	const char *text;
	struct json_object *more; /* NULL: there is none */
} Line;

static void write_out(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, data, size);

		if (n < 0)
			abort();
		data += n;
		size -= (size_t)n;
	}
}

static ryuso_status print(ryuso_run *run, const Line *line)
{
	(void)run;
	printf("%s", line->text);
	return RYUSO_OK;
}

static ryuso_status complain(ryuso_run *run, const Line *line)
{
	(void)run;
	fprintf(stderr, "%s", line->text);
	return RYUSO_OK;
}

static ryuso_status write_raw(ryuso_run *run, const Line *line)
{
	(void)run;
	write_out(line->text, strlen(line->text));
	return RYUSO_OK;
}

/* `more` times. */
static ryuso_status repeat(ryuso_run *run, const Line *line)
{
	(void)run;
	for (int i = json_object_get_int(line->more); i > 0; i--)
		write_out(line->text, strlen(line->text));
	return RYUSO_OK;
}

/* Every byte there is, in hexadecimal digits. */
static ryuso_status write_hex(ryuso_run *run, const Line *line)
{
	unsigned byte;

	(void)run;
	for (const char *at = line->text; sscanf(at, "%2x", &byte) == 1; at += 2)
		write_out(&(char){ (char)byte }, 1);
	return RYUSO_OK;
}

/* `more` is the level. */
static ryuso_status note(ryuso_run *run, const Line *line)
{
	if (ryuso_log(run, (ryuso_level)json_object_get_int(line->more), "%s", line->text) < 0)
		abort();
	return RYUSO_OK;
}

/* `more` is the sentence for people. */
static ryuso_status fail(ryuso_run *run, const Line *line)
{
	return ryuso_fail(run, line->text, "%s",
			  line->more ? json_object_get_string(line->more) : "as the script says");
}

static ryuso_status be_unsure(ryuso_run *run, const Line *line)
{
	return ryuso_unknown(run, line->text, "nobody knows");
}

static ryuso_status crash(ryuso_run *run, const Line *line)
{
	(void)run;
	(void)line;
	abort();
}

/* Until it is killed. */
static ryuso_status stay(ryuso_run *run, const Line *line)
{
	(void)run;
	(void)line;
	fflush(stdout);
	for (;;)
		pause();
}

static const struct {
	const char *name;
	ryuso_status (*act)(ryuso_run *run, const Line *line);
} verbs[] = {
	{ "print", print },   { "complain", complain }, { "write", write_raw }, { "repeat", repeat },
	{ "hex", write_hex }, { "log", note },          { "fail", fail },       { "unknown", be_unsure },
	{ "crash", crash },   { "stay", stay },
};

static ryuso_status act_line(ryuso_run *run, struct json_object *item)
{
	const char *verb = json_object_get_string(json_object_array_get_idx(item, 0));
	const Line line = {
		.text = json_object_get_string(json_object_array_get_idx(item, 1)),
		.more = json_object_array_get_idx(item, 2),
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			return verbs[i].act(run, &line);
	return ryuso_fail(run, "NoSuchVerb", "expected a verb of the script, got %s", verb);
}

ryuso_status lines_act(ryuso_run *run, const struct lines_act_args *args)
{
	struct json_object *items = NULL;
	ryuso_status status = RYUSO_OK;

	if (!json_object_object_get_ex(args->script, ryuso_hook_name(run), &items))
		return RYUSO_OK;
	for (size_t i = 0; i < json_object_array_length(items) && status == RYUSO_OK; i++)
		status = act_line(run, json_object_array_get_idx(items, i));
	return status;
}

ryuso_status lines_keep(ryuso_run *run, const struct lines_keep_args *args, struct lines_keep_outputs *out)
{
	char seal[300];

	(void)run;
	snprintf(seal, sizeof(seal), "%s/%" PRId64, args->word, args->pin);
	lines_keep_set_seal(out, seal);
	return RYUSO_OK;
}

ryuso_status lines_unseal(ryuso_run *run, const struct lines_unseal_args *args)
{
	return args->seal && strchr(args->seal, '/') ? RYUSO_OK : ryuso_fail(run, "NoSeal", "this is no seal");
}

int ryuso_module_open(char *message, size_t message_size)
{
	(void)message;
	(void)message_size;
	fprintf(stderr, "the module is opened\n");
	return 0;
}
