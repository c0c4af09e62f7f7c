/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool retry;
} errors[ERROR_CODE_MAX] = {
	[ERROR_NONE] = { NULL, false },
	[ERROR_BAD_JSON] = { "BadJSON", false },
	[ERROR_TOO_LARGE] = { "TooLarge", false },
	[ERROR_TOO_DEEP] = { "TooDeep", false },
	[ERROR_TOO_SLOW] = { "TooSlow", true },
	[ERROR_BAD_REQUEST] = { "BadRequest", false },
	[ERROR_UNKNOWN_PROGRAM] = { "UnknownProgram", false },
	[ERROR_MISSING_ARGUMENT] = { "MissingArgument", false },
	[ERROR_WRONG_TYPE] = { "WrongType", false },
	[ERROR_UNKNOWN_ARGUMENT] = { "UnknownArgument", false },
	[ERROR_MISSING_OUTPUT] = { "MissingOutput", false },
	[ERROR_HOOK_FAILED] = { "HookFailed", false },
	[ERROR_HOOK_UNKNOWN] = { "HookUnknown", false },
	[ERROR_HOOK_TIMEOUT] = { "HookTimeout", false },
	[ERROR_PROGRAM_TIMEOUT] = { "ProgramTimeout", false },
	[ERROR_CANCELLED] = { "Cancelled", false },
	[ERROR_INTERRUPTED] = { "Interrupted", true },
	[ERROR_IRREVERSIBLE] = { "Irreversible", false },
	[ERROR_RECTIFIER_FAILED] = { "RectifierFailed", false },
	[ERROR_MODULE_CHANGED] = { "ModuleChanged", false },
	[ERROR_STORE_MOVED] = { "StoreMoved", false },
	[ERROR_DAMAGED] = { "Damaged", false },
	[ERROR_QUEUE_FULL] = { "QueueFull", true },
	[ERROR_TOO_MANY_CONNECTIONS] = { "TooManyConnections", true },
	[ERROR_NOT_STARTED] = { "NotStarted", true },
	[ERROR_SHUTTING_DOWN] = { "ShuttingDown", true },
	[ERROR_NO_MODULE] = { "NoModule", true },
	[ERROR_STORE_DAMAGED] = { "StoreDamaged", true },
	[ERROR_STORE_BUSY] = { "StoreBusy", true },
	[ERROR_RECOVERING] = { "Recovering", true },
	[ERROR_REQUEST_ID_REUSED] = { "RequestIdReused", false },
	[ERROR_NOT_ALLOWED] = { "NotAllowed", false },
	[ERROR_NO_SUCH_RUN] = { "NoSuchRun", false },
	[ERROR_WRONG_STATE] = { "WrongState", false },
	[ERROR_BAD_CONFIG] = { "BadConfig", false },
};

const char *error_name(ErrorCode code)
{
	return code < ERROR_CODE_MAX ? errors[code].name : NULL;
}

bool error_retry(ErrorCode code)
{
	return code < ERROR_CODE_MAX && errors[code].retry;
}

ErrorCode error_from_name(const char *name)
{
	for (unsigned i = 1; i < ERROR_CODE_MAX; i++)
		if (strcmp(errors[i].name, name) == 0)
			return (ErrorCode)i;
	return ERROR_NONE;
}

void error_done(Error *error)
{
	free(error->path);
	free(error->message);
	*error = (Error){ 0 };
}

int error_set(Error *error, ErrorCode code, const char *path, const char *format, ...)
{
	va_list list;

	error_done(error);
	error->code = code;
	error->path = path ? strdup(path) : NULL;
	va_start(list, format);
	if (vasprintf(&error->message, format, list) < 0)
		error->message = NULL;
	va_end(list);
	return -EBADMSG;
}
