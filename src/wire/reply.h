/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies and events as text: one line each, ended by a newline. A reply is written in two parts: the head with what
 * only the daemon knows (id, run), and the body, which the worker writes into the recorder's FINISH record. */
#pragma once

#include "base/error.h"
#include "base/value.h"

typedef struct ReplyStep {
	uint32_t step;
	const char *hook;
	bool in_doubt;
} ReplyStep;

typedef struct ReplyError {
	const char *name;   /* NULL: there is none ("error":null) */
	const char *reason; /* NULL: left out; so are path, hook and program */
	const char *path;
	uint32_t step; /* 0: left out */
	const char *hook;
	const char *program; /* where it was a program's check (then "hook":null is written) or time */
	const char *message;
	bool retry;
} ReplyError;

typedef struct ReplyOutput {
	const char *name;
	const Value *value;
} ReplyOutput;

typedef struct Reply {
	const char *program;
	const char *status; /* "succeeded", … */
	const ReplyOutput *outputs;
	size_t n_outputs;
	ReplyError error;
	const ReplyStep *rectified; /* written where status is "rectified", "parked" or "settled" */
	size_t n_rectified;
	const ReplyStep *remaining;
	size_t n_remaining;
	ReplyError parked; /* name NULL: left out */
} Reply;

/** \brief `"program":…,"success":…,"status":…,"data_pool":{…},"error":…,…}`: what follows the head. */
void reply_write_body(const Reply *reply, Buffer *buffer);
/** \brief `{"id":…,"run":…,` — \p id_text NULL: no "id"; \p run NULL: "run":null. */
void reply_write_head(const char *id_text, const char *run, Buffer *buffer);
/** \brief A whole refusal, newline included. \p program NULL where it is not known: "program":null. */
void reply_write_refusal(const char *id_text, const char *program, const Error *error, Buffer *buffer);
/** \brief The answer to a call: `{"id":…,"result":…}` or `{"id":…,"error":{…}}`, newline included. */
void reply_write_result(const char *id_text, struct json_object *result, Buffer *buffer);
void reply_write_call_error(const char *id_text, const Error *error, Buffer *buffer);

/** \brief One line about a run on its way. Numbers that are 0 and texts that are NULL are left out. */
typedef struct ReplyEvent {
	const char *event; /* "state", "begun", "hook", "rectifier" … see ryuso-protocol */
	const char *run;
	const char *program;
	const char *state;    /* of "state": "queued", "running", "rectifying", "parked" … */
	uint32_t step, steps; /* n of m */
	const char *hook;
	uint32_t attempt;
	const char *outcome; /* NULL: the attempt is in hand */
	uint64_t usec;       /* that the attempt took, or has taken so far; written wherever there is an attempt */
	uint64_t run_usec;   /* since the run has begun */
	uint64_t dropped;    /* events before this one that this client was not sent */
	const char *reason, *message;
} ReplyEvent;

void reply_write_event(const char *id_text, const ReplyEvent *event, Buffer *buffer);
