/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/lookup.h"

#include <errno.h>
#include <string.h>

#include "base/ids.h"
#include "ctl/call.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/report.h"

#define SHOWN_MIN 8U

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

static int refuse_word(const Ctl *ctl, const char *word, bool whole)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_text(&message, "expected a run's id (32 hexadecimal digits");
	if (!whole)
		buffer_format(&message, "; of a parked run the first %u are enough", LOOKUP_MIN);
	buffer_text(&message, "), got ");
	output_quote(word, &message);
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

int lookup_whole(const Ctl *ctl, const char *word)
{
	return is_beginning(word) && strlen(word) == ID_TEXT_SIZE - 1 ? 0 : refuse_word(ctl, word, true);
}

static int refuse_many(Ctl *ctl, struct json_object *runs, const char *word)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "several parked runs begin with %s:", word);
	for (size_t i = 0; i < member_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!begins_with(nth_run(runs, i), word))
			continue;
		buffer_text(&message, "\n  ");
		output_escape(nth_run(runs, i), &message);
		buffer_text(&message, "  ");
		output_escape(member_text(run, "program"), &message);
	}
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

static int refuse_none(Ctl *ctl, const char *word)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message,
		      "no parked run begins with %s; other runs need their whole id\n  %-8s see which are parked:  ",
		      word, "next");
	hint_write_command(ctl, "parked", NULL, &message);
	return ctl_complain_text(ctl, EXIT_REFUSED, &message);
}

/** \brief The one of \p runs that \p word stands for. */
static int choose(Ctl *ctl, struct json_object *runs, const char *word, char **ret)
{
	const char *found = NULL;

	for (size_t i = 0; i < member_length(runs); i++) {
		if (!begins_with(nth_run(runs, i), word))
			continue;
		if (found)
			return refuse_many(ctl, runs, word);
		found = nth_run(runs, i);
	}
	if (!found)
		return refuse_none(ctl, word);
	*ret = strdup(found);
	return *ret ? 0 : ctl_complain_errno(ctl, -ENOMEM);
}

/** \brief Who may not see which runs are parked has to give whole ids. */
static bool is_denied(struct json_object *answer)
{
	const char *name = member_text(member(answer, "error"), "name");

	return name && error_from_name(name) == ERROR_NOT_ALLOWED;
}

/** \brief 0 with what is parked, or what to exit with. */
static int list_parked(Ctl *ctl, const char *word, struct json_object **ret_answer)
{
	static const Call call = { .name = "parked", .patient = true, .repeatable = true };
	_cleanup_json_ struct json_object *answer = NULL;
	bool unsettled;
	int r;

	r = call_answer(ctl, &call, &answer, &unsettled);
	if (r < 0)
		return call_explain(ctl, &call, r, unsettled);
	if (r > 0)
		return r;
	if (is_denied(answer))
		return refuse_word(ctl, word, true);
	if (member_typed(answer, "error", json_type_object))
		return report_refusal(ctl, answer, &call);
	*ret_answer = take_ptr(answer);
	return 0;
}

int lookup_run(Ctl *ctl, const char *word, char **ret)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int r;

	if (!is_beginning(word) || strlen(word) < LOOKUP_MIN)
		return refuse_word(ctl, word, false);
	if (strlen(word) == ID_TEXT_SIZE - 1) {
		*ret = strdup(word);
		return *ret ? 0 : ctl_complain_errno(ctl, -ENOMEM);
	}
	r = list_parked(ctl, word, &answer);
	return r != 0 ? r : choose(ctl, member_list(member(answer, "result"), "runs"), word, ret);
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
