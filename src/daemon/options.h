/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of ryusod. What only shows something (--help, --inspect, --show-config, …) is done while it is
 * read. */
#pragma once

#include <stdbool.h>

#include "daemon/config_load.h"

#define OPTIONS_PATH_MAX 1024U

typedef struct Options {
	const char *socket;   /* NULL: from systemd */
	const char *module;   /* NULL: what the settings say */
	const char *state;    /* NULL: see options_state() */
	const char *config;   /* NULL: the usual places */
	const char *root;     /* of those; NULL: / */
	const char *instance; /* "ryuso" by default */
	bool user;            /* a user's own daemon */
	/* of a user's own daemon, its directories; else "" */
	char settings[OPTIONS_PATH_MAX];
	char modules[OPTIONS_PATH_MAX];
} Options;

/** \brief 0: go on. Else the program ends: with status \p ret_status, everything is said already. */
int options_parse(int argc, char **argv, Options *ret, int *ret_status);
/** \brief The state directory: --state, else the first of $STATE_DIRECTORY, else NAME below /var/lib/ryuso, or
 * where the user keeps state. To be freed. */
char *options_state(const Options *options);
/** \brief Where the settings are to be read. Borrowed from \p options. */
ConfigSetup options_config(const Options *options);
