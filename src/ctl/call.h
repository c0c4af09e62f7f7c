/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls: questions to the daemon itself, and what operators tell it. A result is handed to the caller; everything else
 * is said here. */
#pragma once

#include "base/error.h"
#include "ctl/ctl.h"

struct Follow;
struct json_object;

typedef struct Call {
	const char *name;
	struct json_object *parameters; /* owned; {} and NULL: none */
	bool patient;                   /* a daemon that is starting or ending is waited for */
	bool repeatable;                /* twice is as good as once: it is asked until it is answered */
	ErrorCode passing;              /* an error that passes by itself: it is waited out; NONE */
	struct Follow *follow;          /* borrowed; shows the events, or NULL */
	bool lasting;                   /* the answer may take as long as a run does */
	bool changes;                   /* where no answer came, something may have been done */
	const char *program, *run;      /* what it is about, for hints, or NULL */
} Call;

void call_done(Call *call);
#define _cleanup_call_ _cleanup_(call_done)

/** \brief Asks and waits for the result. 0, or what to exit with; said already. */
int call_ask(Ctl *ctl, const Call *call, struct json_object **ret_result);
/** \brief The same, but an error of the daemon is the caller's to judge: 0 with the whole answer, which has "result" or
 * "error". Negative errno of exchange_ask(), for call_explain(). \p ret_unsettled is set in any case: an earlier time
 * that it was asked may have counted. */
int call_answer(Ctl *ctl, const Call *call, struct json_object **ret_answer, bool *ret_unsettled);
/** \brief Says why there is no answer. Returns what to exit with. */
int call_explain(const Ctl *ctl, const Call *call, int error, bool unsettled);
/** \brief The name in `list` that \p program was perhaps meant to be; a string that the caller frees, or NULL: there is
 * none, or it cannot be had. Says nothing. */
char *call_closest_program(Ctl *ctl, const char *program);
