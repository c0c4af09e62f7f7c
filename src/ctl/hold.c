/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/verb.h"

static void write_held(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	if (!member_bool(result, "held")) {
		buffer_text(text, "the queue goes on\n");
		return;
	}
	buffer_text(text, "the queue is held: what runs ends, and no run begins");
	if (ctl->options.legend) {
		buffer_text(text, " until:  ");
		hint_write_command(ctl, "resume", NULL, text);
	}
	buffer_text(text, "\n");
}

/** \brief Both may be asked twice: the second time nothing changes. */
static int ask(Ctl *ctl, const char *name)
{
	_cleanup_call_ Call call = { .name = name, .patient = true, .repeatable = true, .changes = true };
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_buffer_ Buffer text = {};
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_text(&draft, "reason", ctl->options.reason);
	r = draft_take(&draft, &call.parameters);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	r = call_ask(ctl, &call, &result);
	if (r != 0)
		return r;
	if (ctl->options.json != JSON_STYLE_NONE)
		output_json(result, ctl->options.json, &text);
	else
		write_held(ctl, result, &text);
	if (buffer_error(&text) < 0)
		return ctl_complain_errno(ctl, -ENOMEM);
	ctl_put(ctl, &text);
	return EXIT_SUCCEEDED;
}

static int verb_hold(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)arguments;
	(void)n;
	return ask(ctl, "hold");
}

static int verb_resume(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)arguments;
	(void)n;
	return ask(ctl, "resume");
}

static const Verb verbs[] = {
	{ "hold", 0, 0, OPTION_REASON, verb_hold, "", "Let no run begin, also after a restart",
	  "     --reason=TEXT        why; `status` shows it\n" },
	{ "resume", 0, 0, 0, verb_resume, "", "Let the queue go on", NULL },
};

const VerbGroup hold_verbs = { "The queue", verbs, ELEMENTSOF(verbs) };
