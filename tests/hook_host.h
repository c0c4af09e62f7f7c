/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host that writes down what libryuso asks of it, and answers what it was told to. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ryuso/host.h>
#include <ryuso/module.h>

#include "check_main.h"

typedef struct Fake {
	struct ryuso_value value; /* what get and argument answer */
	int result;
	struct ryuso_value set; /* what came last */
	char key[80];
	char text[8192];
	int level;
	unsigned number;
	unsigned n; /* calls that came through */
} Fake;

static int on_argument(void *host, unsigned arg, struct ryuso_value *ret)
{
	Fake *fake = host;

	fake->n++;
	fake->number = arg;
	*ret = fake->value;
	return fake->result;
}

static int on_set_output(void *host, unsigned output, const struct ryuso_value *value)
{
	Fake *fake = host;

	fake->n++;
	fake->number = output;
	fake->set = *value;
	return fake->result;
}

static int on_get(void *host, const char *key, struct ryuso_value *ret)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	*ret = fake->value;
	return fake->result;
}

static int on_set(void *host, const char *key, const struct ryuso_value *value)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	fake->set = *value;
	return fake->result;
}

static int on_note(void *host, const char *key, const void *data, size_t size)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	memcpy(fake->text, data, size);
	return fake->result;
}

static int on_noted(void *host, const char *key, const void **ret_data, size_t *ret_size)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	*ret_data = "noted";
	*ret_size = 5;
	return fake->result;
}

static int on_log(void *host, int level, const char *text)
{
	Fake *fake = host;

	fake->n++;
	fake->level = level;
	snprintf(fake->text, sizeof(fake->text), "%s", text);
	return fake->result;
}

static const struct ryuso_host calls = {
	.argument = on_argument,
	.set_output = on_set_output,
	.get = on_get,
	.set = on_set,
	.note = on_note,
	.noted = on_noted,
	.log = on_log,
};

static Fake fake;
static ryuso_run run;

static void enter(void)
{
	fake = (Fake){ 0 };
	run = (ryuso_run){
		.calls = &calls,
		.host = &fake,
		.id = "0123456789abcdef0123456789abcdef",
		.token = "1123456789abcdef0123456789abcdef",
		.hook_name = "debit",
		.step = 3,
		.attempt = 2,
		.peer = { .uid = 1, .gid = 2, .pid = 3 },
	};
	ck_assert_int_eq(ryuso_host_enter(&run), 0);
}
