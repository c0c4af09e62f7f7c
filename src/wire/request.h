/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One JSON object → one request or call. The envelope alone is checked here; arguments are checked against the program
 * by run/arguments.h. When several things are wrong, the first of this order is answered, all but the first as
 * BadRequest: a repeated name (BadJSON); `id`; `method`; none or both of `program` and `call`; the known members that
 * are of the wrong type, in the order of struct Request; members that do not belong here, in the request's order. */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/json_flat.h"

#define REQUEST_ID_MAX 128U          /* bytes of a request_id */
#define REQUEST_ECHO_MAX 1024U       /* bytes of `id` as JSON text: it stands in every line of the answer */
#define REQUEST_START_WITHIN_MAX 1e9 /* seconds */
#define REQUEST_PLAIN_NAME_MAX 64U   /* bytes of the program's name in a plain request */
#define REQUEST_PLAIN_POOL_MAX 32U   /* members of its data pool, and one more */

typedef enum RequestKind {
	REQUEST_PROGRAM,
	REQUEST_CALL,
} RequestKind;

typedef struct Request {
	RequestKind kind;
	struct json_object *body;       /* owned; the pointers below are borrowed from it */
	const char *name;               /* of the program or the call */
	struct json_object *data_pool;  /* an object; NULL where the member is missing (an empty pool) */
	struct json_object *metadata;   /* an object or NULL */
	struct json_object *parameters; /* of a call: an object or NULL */
	char *id_text;          /* owned: JSON text of `id` (a string, number, bool or null), to be echoed; or NULL */
	const char *request_id; /* or NULL */
	bool wait;              /* default true */
	bool follow;            /* default false */
	double start_within;    /* seconds; < 0: none */
} Request;

void request_done(Request *request);

/** \brief \p text and \p members: what frame_next() gave. 0; -EBADMSG with \p error; -ENOMEM. In each case \p ret is
 * to be freed with request_done(), and holds what an answer needs as far as it is known (kind, id_text, name). */
int request_parse(const char *text, size_t size, size_t members, Request *ret, Error *error);

/** \brief What most requests are: a program's name, a pool of scalars, perhaps an `id` and `follow`, and nothing that
 * would have to be looked at twice. */
typedef struct RequestPlain {
	Request request; /* no body; `data_pool` is NULL */
	char name[REQUEST_PLAIN_NAME_MAX + 1];
	JsonMember pool[REQUEST_PLAIN_POOL_MAX]; /* borrowed from the text; names may repeat */
	size_t n_pool;
} RequestPlain;

/** \brief Whether the text, which is as for request_parse(), is a plain request; then \p ret->request is to be freed
 * with request_done(). Says nothing of what is wrong: that is for request_parse(). */
bool request_read_plain(const char *text, size_t size, RequestPlain *ret);
