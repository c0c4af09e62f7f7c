/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between config_load.c (the order of things), config_places.c (which files there are) and config_file.c (what one
 * says). */
#pragma once

#include "base/buffer.h"
#include "daemon/config_load.h"

#define CONFIG_PLAIN "ryuso"

/** \brief One file that is to be read. */
typedef struct ConfigFile {
	const char *path;
	bool shared; /* it is everybody's: its Module= is the plain one's */
} ConfigFile;

/** \brief \p text is taken, and is the error, unless there are too many. -ENOMEM. */
int config_error(ConfigLoaded *loaded, Buffer *text);

/* config_file.c */
/** \brief What is wrong in it becomes errors. -ENOENT, where it is not there; other errno: it cannot be read, and
 * nothing is said of it. */
int config_file_read(ConfigLoaded *loaded, const ConfigFile *file);

/* config_places.c */
/** \brief Calls \p on_file for the files of NAME, in their order; stops where that returns other than 0. */
int config_places(const ConfigSetup *setup, const char *name, int (*on_file)(void *context, const char *path),
		  void *context);
/** \brief The directories for settings, the one that counts most first; NULL behind the last one. */
const char *config_directory(size_t i);
