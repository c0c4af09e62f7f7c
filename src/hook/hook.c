/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "hook/current.h"

#define LOG_TEXT_SIZE 4096

static void say(ryuso_run *run, const char *reason, const char *format, va_list list)
{
	hook_copy(run->reason, sizeof(run->reason), reason);
	hook_format(run->message, sizeof(run->message), false, format, list);
}

ryuso_status ryuso_fail(ryuso_run *run, const char *reason, const char *format, ...)
{
	va_list list;

	/* From elsewhere nobody can say that nothing was left behind. */
	if (!hook_current(run))
		return RYUSO_UNKNOWN;
	va_start(list, format);
	say(run, reason, format, list);
	va_end(list);
	return RYUSO_FAILED;
}

ryuso_status ryuso_unknown(ryuso_run *run, const char *reason, const char *format, ...)
{
	va_list list;

	if (!hook_current(run))
		return RYUSO_UNKNOWN;
	va_start(list, format);
	say(run, reason, format, list);
	va_end(list);
	return RYUSO_UNKNOWN;
}

const char *ryuso_token(const ryuso_run *run)
{
	return hook_current(run) ? run->token : NULL;
}

const char *ryuso_undone_token(const ryuso_run *run)
{
	return hook_current(run) && run->undone_token[0] ? run->undone_token : NULL;
}

bool ryuso_in_doubt(const ryuso_run *run)
{
	return hook_current(run) && run->in_doubt;
}

bool ryuso_rectifying(const ryuso_run *run)
{
	return hook_current(run) && run->rectifying;
}

unsigned ryuso_attempt(const ryuso_run *run)
{
	return hook_current(run) ? run->attempt : 0;
}

unsigned ryuso_step(const ryuso_run *run)
{
	return hook_current(run) ? run->step : 0;
}

const char *ryuso_hook_name(const ryuso_run *run)
{
	return hook_current(run) ? run->hook_name : NULL;
}

const char *ryuso_run_id(const ryuso_run *run)
{
	return hook_current(run) ? run->id : NULL;
}

int ryuso_peer(const ryuso_run *run, ryuso_peer_info *ret)
{
	if (!hook_current(run))
		return -EPERM;
	*ret = run->peer;
	return 0;
}

static bool is_note_key(const char *key)
{
	size_t size = key ? strnlen(key, HOOK_KEY_MAX + 1) : 0;

	return size > 0 && size <= HOOK_KEY_MAX;
}

int ryuso_note(ryuso_run *run, const char *key, const void *data, size_t size)
{
	if (!hook_current(run))
		return -EPERM;
	if (!is_note_key(key) || (!data && size > 0))
		return -EINVAL;
	return run->calls->note(run->host, key, data, size);
}

int ryuso_noted(const ryuso_run *run, const char *key, const void **ret_data, size_t *ret_size)
{
	if (!hook_current(run))
		return -EPERM;
	if (!is_note_key(key))
		return -EINVAL;
	return run->calls->noted(run->host, key, ret_data, ret_size);
}

int ryuso_log(ryuso_run *run, ryuso_level level, const char *format, ...)
{
	char text[LOG_TEXT_SIZE];
	va_list list;

	if (!hook_current(run))
		return -EPERM;
	if (level < RYUSO_ERROR || level > RYUSO_DEBUG)
		return -EINVAL;
	va_start(list, format);
	hook_format(text, sizeof(text), true, format, list);
	va_end(list);
	return run->calls->log(run->host, (int)level, text);
}
