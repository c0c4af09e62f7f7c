/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of ryusoctl's command line. They may stand before or after the verb. Everything is borrowed from argv or
 * the environment, but for `socket`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

typedef enum JsonStyle {
	JSON_STYLE_NONE, /* tables and sentences */
	JSON_STYLE_PRETTY,
	JSON_STYLE_SHORT, /* one line */
} JsonStyle;

/** \brief Bits of Options.given, for the options that only some verbs know. */
typedef enum OptionBit {
	OPTION_FOLLOW = 1U << 0,
	OPTION_DATA = 1U << 1,
} OptionBit;

typedef struct Options {
	char *socket;         /* owned: the path to connect to */
	const char *instance; /* or NULL */
	bool socket_given;    /* by --socket or by the environment */
	bool socket_option;   /* by --socket */
	JsonStyle json;
	bool legend;
	bool quiet;
	bool follow;
	uint64_t timeout_usec; /* 0: for ever */
	const char *data;      /* or NULL */
	unsigned given;        /* OptionBit */
	bool help;
	bool version;
} Options;

void options_done(Options *options);

/** \brief Reads the options and moves them in front of the other words: \p ret_first is the index of the first of
 * those. 0; -EINVAL with a sentence in \p message; -ENOMEM. */
int options_parse(int argc, char **argv, Options *ret, int *ret_first, Buffer *message);
