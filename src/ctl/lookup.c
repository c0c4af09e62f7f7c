/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/lookup.h"

#include <errno.h>
#include <string.h>

#include "base/ids.h"
#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"

#define SHOWN_MIN 8U
#define SHOWN_MAX 10U
#define RUNS_MAX 1000U /* as many as the daemon lists */

static const struct {
	const char *word, *status, *verb;
} kinds[LOOKUP_KIND_MAX] = {
	[LOOKUP_ANY] = { "", NULL, "runs" },
	[LOOKUP_UNFINISHED] = { "unfinished ", "unfinished", "runs" },
	[LOOKUP_PARKED] = { "parked ", "parked", "parked" },
};

static bool begins_with(const char *text, const char *beginning)
{
	return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

static const char *nth_run(struct json_object *runs, size_t i)
{
	return member_text(json_object_array_get_idx(runs, i), "run");
}

static bool is_beginning(const char *word)
{
	size_t length = strlen(word);

	return length > 0 && length < ID_TEXT_SIZE && word[strspn(word, "0123456789abcdef")] == '\0';
}

static int refuse_word(const Ctl *ctl, const char *word)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message,
		      "expected a run's id (32 hexadecimal digits, of which the first %u or more are enough), got ",
		      LOOKUP_MIN);
	output_quote(word, &message);
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

static int refuse_many(const Ctl *ctl, struct json_object *runs, const char *word, LookupKind kind)
{
	_cleanup_buffer_ Buffer message = {};
	size_t shown = 0;

	buffer_format(&message,
		      "several %sruns begin with %s; expected more of the id of one of them:", kinds[kind].word, word);
	for (size_t i = 0; i < member_length(runs) && shown < SHOWN_MAX; i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!begins_with(nth_run(runs, i), word))
			continue;
		buffer_text(&message, "\n  ");
		output_escape(nth_run(runs, i), &message);
		buffer_text(&message, "  ");
		output_escape(member_text(run, "program"), &message);
		buffer_text(&message, "  ");
		output_escape(member_text(run, "status"), &message);
		shown++;
	}
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

static int refuse_none(const Ctl *ctl, const char *word, LookupKind kind, bool more)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "no %srun begins with %s", kinds[kind].word, word);
	if (more)
		buffer_format(&message, ", of the newest %u; older ones need their whole id", RUNS_MAX);
	buffer_format(&message, "\n  %-8s see which there are:  ", "next");
	hint_write_command(ctl, kinds[kind].verb, NULL, &message);
	return ctl_complain_text(ctl, EXIT_REFUSED, &message);
}

/** \brief The one of the result's runs that \p word stands for. */
static int choose(const Ctl *ctl, struct json_object *result, const char *word, LookupKind kind, char **ret)
{
	struct json_object *runs = member_list(result, "runs");
	const char *found = NULL;

	for (size_t i = 0; i < member_length(runs); i++) {
		if (!begins_with(nth_run(runs, i), word))
			continue;
		if (found)
			return refuse_many(ctl, runs, word, kind);
		found = nth_run(runs, i);
	}
	if (!found)
		return refuse_none(ctl, word, kind, member_bool(result, "more"));
	*ret = strdup(found);
	return *ret ? 0 : ctl_complain_errno(ctl, -ENOMEM);
}

/** \brief 0 with the runs that may be meant, or what to exit with. */
static int list_runs(Ctl *ctl, LookupKind kind, struct json_object **ret_result)
{
	_cleanup_call_ Call call = { .name = "runs", .patient = true, .repeatable = true };
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_text(&draft, "status", kinds[kind].status);
	draft_int(&draft, "limit", RUNS_MAX);
	r = draft_take(&draft, &call.parameters);
	return r < 0 ? ctl_complain_errno(ctl, r) : call_ask(ctl, &call, ret_result);
}

int lookup_run(Ctl *ctl, const char *word, LookupKind kind, char **ret)
{
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	if (!is_beginning(word) || strlen(word) < LOOKUP_MIN)
		return refuse_word(ctl, word);
	if (strlen(word) == ID_TEXT_SIZE - 1) {
		*ret = strdup(word);
		return *ret ? 0 : ctl_complain_errno(ctl, -ENOMEM);
	}
	r = list_runs(ctl, kind, &result);
	return r != 0 ? r : choose(ctl, result, word, kind, ret);
}

static size_t common_length(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

size_t lookup_length(struct json_object *runs, const char *run)
{
	size_t length = SHOWN_MIN;

	for (size_t i = 0; i < member_length(runs); i++) {
		const char *other = nth_run(runs, i);

		if (other && strcmp(other, run) != 0)
			length = MAX(length, common_length(other, run) + 1);
	}
	return length;
}
