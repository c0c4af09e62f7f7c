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
	OPTION_REQUEST_ID = 1U << 2,
	OPTION_NO_REQUEST_ID = 1U << 3,
	OPTION_NOW = 1U << 4,
	OPTION_NO_WAIT = 1U << 5,
	OPTION_REASON = 1U << 6,
	OPTION_DRY_RUN = 1U << 7,
	OPTION_CURRENT_MODULE = 1U << 8,
	OPTION_UNDONE_BY_HAND = 1U << 9,
	OPTION_VERBOSE = 1U << 10,
	OPTION_PROGRAM = 1U << 11,
	OPTION_STATUS = 1U << 12,
	OPTION_OF_USER = 1U << 13,
	OPTION_SINCE = 1U << 14,
	OPTION_LINES = 1U << 15,
	OPTION_WAKE = 1U << 16,
} OptionBit;

typedef struct Options {
	char *socket;         /* owned: the path to connect to */
	const char *instance; /* or NULL */
	bool socket_given;    /* by --socket or by the environment */
	bool socket_option;   /* by --socket */
	bool user;            /* the daemon of one's own service manager */
	JsonStyle json;
	bool legend;
	bool quiet;
	bool follow;
	bool no_pager;
	uint64_t timeout_usec;                          /* 0: for ever */
	const char *data;                               /* or NULL */
	const char *request_id, *reason;                /* or NULL */
	const char *program, *status, *of_user, *since; /* filters, or NULL */
	unsigned lines;                                 /* 0: as many as usual */
	unsigned given; /* OptionBit: options of some verbs only; where nothing else is kept of one,
					    this is it */
	bool help;
	bool version;
} Options;

void options_done(Options *options);

/** \brief "--follow"; \p bit is one of enum OptionBit. */
const char *option_name(unsigned bit);
/** \brief Reads the options and moves them in front of the other words: \p ret_first is the index of the first of
 * those. 0; -EINVAL with a sentence in \p message; -ENOMEM. */
int options_parse(int argc, char **argv, Options *ret, int *ret_first, Buffer *message);
