/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files become settings. For an instance NAME: ryuso.conf and the drop-ins ryuso.conf.d/(*).conf, which are everybody's,
 * then NAME.conf and NAME.conf.d/(*).conf. Each is looked for in the same directories, as systemd does: of a file the
 * first one found counts alone, of drop-ins the first one of each name, and all names in their order. Whatever is wrong
 * is an error of the result, and leaves what was said before: who asks decides what an error means. */
#pragma once

#include "daemon/config.h"

#define CONFIG_FILE_MAX (1U << 20) /* bytes */
#define CONFIG_FILES_MAX 1024U
#define CONFIG_ERRORS_MAX 100U /* that are told; the last one says that there are more */

typedef struct ConfigSetup {
	const char *root;      /* the directories are looked for below it; NULL: / */
	const char *file;      /* this file, and no other; NULL: the usual ones */
	const char *instance;  /* "ryuso": the plain one */
	const char *module;    /* overrides Module=; NULL */
	const char *directory; /* a user's own: it counts instead of the usual ones; NULL */
} ConfigSetup;

#define CONFIG_FROM_OPTION SIZE_MAX

typedef struct ConfigOrigin {
	size_t file;   /* its number in `files`, from 1; 0: none, it is the default; CONFIG_FROM_OPTION: --module */
	unsigned line; /* of the setting */
} ConfigOrigin;

typedef struct ConfigLoaded {
	Config config;
	ConfigOrigin origins[CONFIG_SETTINGS_MAX]; /* by the settings' numbers */
	char **files; /* owned, as each of them; those that said something, in their order */
	size_t n_files;
	char **errors; /* owned, as each of them: "file:line: what: expected …; got …" */
	size_t n_errors;
} ConfigLoaded;

/** \brief -ENOMEM, or the errno of a \p setup->file that cannot be read. */
int config_load(const ConfigSetup *setup, ConfigLoaded *ret);
void config_loaded_done(ConfigLoaded *loaded);
#define _cleanup_config_loaded_ _cleanup_(config_loaded_done)
