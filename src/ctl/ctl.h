/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs share: the options, how to write, and the connection, which is opened when a verb first needs it. One
 * per process, owned by main(). What goes wrong is said on standard error, by ctl_complain(), and what is to be done
 * about it in lines that begin with two spaces. */
#pragma once

#include "ctl/connection.h"
#include "ctl/output.h"

typedef struct Ctl {
	Options options;
	Output output;
	Connection connection;
	bool reached;           /* there was a connection before: the daemon may be away, but it is there */
	uint64_t deadline_usec; /* 0: not decided yet */
} Ctl;

void ctl_done(Ctl *ctl);

/** \brief "ryusoctl: " and a sentence, as one line on standard error. Returns \p status; 0: it is no
 * complaint, but something to know while waiting. */
int ctl_complain(const Ctl *ctl, int status, const char *format, ...) _printf_(3, 4);
/** \brief The same with what was collected in \p message, which is empty afterwards. */
int ctl_complain_text(const Ctl *ctl, int status, Buffer *message);
/** \brief Memory was short, or the like: EXIT_BROKEN. */
int ctl_complain_errno(const Ctl *ctl, int error);
/** \brief Appends a command for the reader to type: "ryusoctl", the options that lead to this instance, and \p words.
 */
void ctl_command(const Ctl *ctl, const char *words, Buffer *buffer);
/** \brief The answer, on standard output, unless --quiet. */
void ctl_put(const Ctl *ctl, const Buffer *buffer);

/** \brief Until when all this is to be over (monotonic): --timeout from the first call on; USEC_INFINITY. */
uint64_t ctl_deadline(Ctl *ctl);
/** \brief Connects if there is no connection yet. 0, or what to exit with; said already. */
int ctl_connect(Ctl *ctl);
