/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request, asked until it is answered. Where the connection breaks before the answer, or the daemon says that it is
 * starting or ending, it connects and asks again, with growing pauses, until the time of --timeout is over. What it
 * waits for is said on standard error, each thing once. Only a first connection that fails ends it at once. */
#pragma once

#include "base/error.h"
#include "ctl/ctl.h"
#include "ctl/follow.h"
#include "ctl/patience.h"

typedef enum ExchangePhase {
	EXCHANGE_CONNECTING,
	EXCHANGE_SENDING,
	EXCHANGE_RECEIVING,
} ExchangePhase;

typedef struct Exchange {
	Ctl *ctl;
	struct json_object *request; /* borrowed */
	Follow *follow;              /* borrowed; shows the events, or NULL */
	Patience *patience;          /* borrowed; where the answer may take as long as a run does; or NULL */
	bool patient;                /* a daemon that is starting or ending is waited for */
	ErrorCode passing;           /* a refusal that passes by itself, and is not marked as such; NONE */
	bool repeatable;             /* it can be asked twice and is done once: also a broken connection is mended */
	/* found out */
	bool unsettled; /* it was sent whole, and no answer to it came: it may have been taken */
	/* private */
	struct json_object *refusal; /* owned: the last one for now */
	ExchangePhase phase;
	unsigned said;
	unsigned n_unsent; /* in a row */
	unsigned n_pauses;
	bool lost; /* a connection was, since the last one that was made */
} Exchange;

void exchange_done(Exchange *exchange);
#define _cleanup_exchange_ _cleanup_(exchange_done)

/** \brief 0 with the answer, which may be a refusal; > 0: what to exit with, said already. -ETIME, -EINTR: it was not
 * waited for any longer; -ENODATA and the like: the connection broke, and it was not to be asked again; -EPIPE: the
 * daemon does not take the whole request; -EBADMSG: what came is no answer; -ENOMEM. With each of them `unsettled` says
 * whether the request may have been taken. */
int exchange_ask(Exchange *exchange, struct json_object **ret);
/** \brief A clause for what exchange_ask() returned: "no answer came within the time of --timeout". */
const char *exchange_explain(int error);
