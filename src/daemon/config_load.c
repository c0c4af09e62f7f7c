/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_load_private.h"

void config_loaded_done(ConfigLoaded *loaded)
{
	for (size_t i = 0; i < loaded->n_files; i++)
		free(loaded->files[i]);
	for (size_t i = 0; i < loaded->n_errors; i++)
		free(loaded->errors[i]);
	free(loaded->files);
	free(loaded->errors);
	config_done(&loaded->config);
	*loaded = (ConfigLoaded){ 0 };
}

int config_error(ConfigLoaded *loaded, Buffer *text)
{
	char **errors;

	if (loaded->n_errors >= CONFIG_ERRORS_MAX)
		return 0;
	if (loaded->n_errors == CONFIG_ERRORS_MAX - 1) {
		buffer_clear(text);
		buffer_text(text, "there are more errors; they are not listed");
	}
	errors = reallocarray(loaded->errors, loaded->n_errors + 1, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	loaded->errors = errors;
	errors[loaded->n_errors] = buffer_take_text(text);
	if (!errors[loaded->n_errors])
		return -ENOMEM;
	loaded->n_errors++;
	return 0;
}

typedef struct Loading {
	ConfigLoaded *loaded;
	bool shared;
} Loading;

/* One of several: the others say what they say. */
static int on_file(void *context, const char *path)
{
	const Loading *loading = context;
	const ConfigFile file = { .path = path, .shared = loading->shared };
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	r = config_file_read(loading->loaded, &file);
	if (r >= 0 || r == -ENOMEM)
		return r;
	if (r == -EFBIG)
		buffer_format(&text, "%s: expected at most %u bytes; got more", path, CONFIG_FILE_MAX);
	else if (r == -EISDIR || r == -EINVAL)
		buffer_format(&text, "%s: expected a file; got %s", path,
			      r == -EISDIR ? "a directory" : "something else");
	else
		buffer_format(&text, "%s: expected to be able to read it; got \"%s\"", path, strerror(-r));
	return config_error(loading->loaded, &text);
}

static int too_many(ConfigLoaded *loaded, const char *name)
{
	_cleanup_buffer_ Buffer text = { 0 };

	buffer_format(&text, "%s.conf.d: expected at most %u drop-ins; got more, none is read", name, CONFIG_FILES_MAX);
	return config_error(loaded, &text);
}

static int load_name(Loading *loading, const ConfigSetup *setup, const char *name)
{
	int r = config_places(setup, name, on_file, loading);

	return r == -E2BIG ? too_many(loading->loaded, name) : r;
}

static int load_usual(const ConfigSetup *setup, ConfigLoaded *loaded)
{
	bool plain = strcmp(setup->instance, CONFIG_PLAIN) == 0;
	Loading loading = { .loaded = loaded, .shared = !plain };
	int r;

	r = load_name(&loading, setup, CONFIG_PLAIN);
	loading.shared = false;
	if (r == 0 && !plain)
		r = load_name(&loading, setup, setup->instance);
	return r;
}

int config_load(const ConfigSetup *setup, ConfigLoaded *ret)
{
	const ConfigFile file = { .path = setup->file };
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	int r;

	config_init(&loaded.config);
	r = setup->file ? config_file_read(&loaded, &file) : load_usual(setup, &loaded);
	if (r >= 0 && setup->module) {
		r = config_set(&loaded.config, "Module", setup->module);
		loaded.origins[config_index("Module")] = (ConfigOrigin){ .file = CONFIG_FROM_OPTION };
	}
	if (r < 0)
		return r;
	*ret = TAKE(loaded, (ConfigLoaded){ 0 });
	return 0;
}
