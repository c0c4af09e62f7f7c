/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/text.h"

#define ORIGIN_COLUMN 36
#define VALUE_MAX 4096

static int load(const ConfigSetup *setup, ConfigLoaded *ret, int *ret_status)
{
	int r = config_load(setup, ret);

	if (r < 0) {
		fprintf(stderr, "cannot read the settings%s%s: %s\n", setup->file ? " in " : "",
			setup->file ? setup->file : "", strerror(-r));
		*ret_status = r == -ENOMEM ? EX_OSERR : EX_CONFIG;
		return r;
	}
	for (size_t i = 0; i < ret->n_errors; i++)
		fprintf(stderr, "%s\n", ret->errors[i]);
	*ret_status = ret->n_errors > 0 ? EX_CONFIG : EXIT_SUCCESS;
	return 0;
}

int config_check(const ConfigSetup *setup)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	int status = EXIT_SUCCESS;

	load(setup, &loaded, &status);
	return status;
}

static void write_origin(const ConfigLoaded *loaded, size_t index, Buffer *text)
{
	const ConfigOrigin *origin = &loaded->origins[index];

	if (origin->file == CONFIG_FROM_OPTION)
		buffer_text(text, "--module");
	else if (origin->file == 0)
		buffer_text(text, "default");
	else
		buffer_format(text, "%s:%u", loaded->files[origin->file - 1], origin->line);
}

static void write_setting(const ConfigLoaded *loaded, size_t index, Buffer *text)
{
	_cleanup_free_ char *value = config_text(&loaded->config, index);
	size_t before = text->size;

	buffer_format(text, "%s=", config_name(index));
	if (value)
		text_escape(value, strlen(value), VALUE_MAX, text);
	do
		buffer_u8(text, ' ');
	while (text->size - before < ORIGIN_COLUMN);
	buffer_text(text, "; ");
	write_origin(loaded, index, text);
	buffer_text(text, "\n");
}

/* It can be read as a file of settings. */
int config_show(const ConfigSetup *setup)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	_cleanup_buffer_ Buffer text = { 0 };
	int status = EXIT_SUCCESS;

	if (load(setup, &loaded, &status) < 0)
		return status;
	for (size_t i = 0; i < loaded.n_files; i++)
		buffer_format(&text, "# %s\n", loaded.files[i]);
	buffer_text(&text, "[Daemon]\n");
	for (size_t i = 0; i < config_count(); i++)
		write_setting(&loaded, i, &text);
	if (buffer_error(&text) < 0)
		return EX_OSERR;
	if (fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout) != 0)
		return EX_IOERR;
	return status;
}
