/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of ryuso-gen. Strings are borrowed from argv. */
#pragma once

#include <stdbool.h>

#define EXIT_USAGE 64

typedef enum Command {
	COMMAND_GENERATE,
	COMMAND_CHECK,
	COMMAND_EXAMPLE,
	COMMAND_STUB,
	COMMAND_HELP,
	COMMAND_VERSION,
} Command;

typedef struct Options {
	Command command;
	const char *spec;
	const char *directory;
	const char *templates; /* or NULL */
	const char *name;      /* of the example, or the hook */
} Options;

/** \brief 0; -EINVAL where the command line is wrong, and said so on standard error. */
int options_parse(int argc, char *argv[], Options *ret);
/** \brief What --help prints. */
extern const char options_help[];
