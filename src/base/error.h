/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain errors: named things that a client, a hook author or an operator may see. One is made where the fact is known
 * and turned into text by the caller that answers. Infrastructure's errors are negative errno and never one of these.
 */
#pragma once

#include <stdbool.h>

#include "base/macro.h"

typedef enum ErrorCode {
	ERROR_NONE,
	/* framing */
	ERROR_BAD_JSON,
	ERROR_TOO_LARGE,
	ERROR_TOO_DEEP,
	ERROR_TOO_SLOW,
	/* the envelope and its arguments */
	ERROR_BAD_REQUEST,
	ERROR_UNKNOWN_PROGRAM,
	ERROR_MISSING_ARGUMENT,
	ERROR_WRONG_TYPE,
	ERROR_UNKNOWN_ARGUMENT,
	/* in a run */
	ERROR_MISSING_OUTPUT,
	ERROR_HOOK_FAILED,
	ERROR_HOOK_UNKNOWN,
	ERROR_HOOK_TIMEOUT,
	ERROR_PROGRAM_TIMEOUT,
	ERROR_CANCELLED,
	ERROR_INTERRUPTED,
	/* in `parked` */
	ERROR_IRREVERSIBLE,
	ERROR_RECTIFIER_FAILED,
	ERROR_MODULE_CHANGED,
	ERROR_STORE_MOVED,
	ERROR_DAMAGED,
	/* refused for now */
	ERROR_QUEUE_FULL,
	ERROR_TOO_MANY_CONNECTIONS,
	ERROR_NOT_STARTED,
	ERROR_SHUTTING_DOWN,
	ERROR_NO_MODULE,
	ERROR_STORE_DAMAGED,
	ERROR_STORE_BUSY,
	ERROR_RECOVERING,
	ERROR_REQUEST_ID_REUSED,
	/* operator calls */
	ERROR_NOT_ALLOWED,
	ERROR_NO_SUCH_RUN,
	ERROR_WRONG_STATE,
	ERROR_BAD_CONFIG,
	ERROR_CODE_MAX,
} ErrorCode;

/** \brief The stable, documented name, such as "WrongType". */
const char *error_name(ErrorCode code);
/** \brief Whether the same request may succeed later. */
bool error_retry(ErrorCode code);
/** \brief ERROR_NONE for a name that is none of ours. */
ErrorCode error_from_name(const char *name);

typedef struct Error {
	ErrorCode code;
	char *path;    /* owned; a JSON pointer into the request, or NULL */
	char *message; /* owned; a sentence for people, or NULL where memory was short */
} Error;

void error_done(Error *error);
#define _cleanup_error_ _cleanup_(error_done)

/** \brief Fills \p error, replacing what it held, and returns -EBADMSG, so that a caller can `return error_set(…)`. */
int error_set(Error *error, ErrorCode code, const char *path, const char *format, ...) _printf_(4, 5);
