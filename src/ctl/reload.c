/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <errno.h>

#include "ctl/call.h"
#include "ctl/exit.h"
#include "ctl/member.h"
#include "ctl/verb.h"

static void write_settings(struct json_object *list, const char *sentence, Buffer *text)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		buffer_text(text, i == 0 ? sentence : ", ");
		output_escape(name ? name : "", text);
		buffer_text(text, "=");
	}
	if (n > 0)
		buffer_text(text, "\n");
}

static void write_module(struct json_object *result, Buffer *text)
{
	struct json_object *module = member(result, "module");
	const char *name = member_text(module, "name"), *build = member_text(module, "build_id");

	if (!name) {
		buffer_text(text, "no module is in use yet\n");
		return;
	}
	buffer_text(text, "module ");
	output_escape(name, text);
	buffer_text(text, ", build ");
	output_escape(build ? build : "(none)", text);
	buffer_text(text, member_bool(result, "other_module") ? ", is in use now\n" : ", stays in use\n");
}

static void write_runs(struct json_object *result, Buffer *text)
{
	int64_t fitted = member_int(result, "fitted"), refused = member_int(result, "refused");

	if (fitted > 0)
		buffer_format(text, "%" PRIi64 " waiting runs go to it\n", fitted);
	if (refused > 0)
		buffer_format(text, "%" PRIi64 " waiting runs do not fit it, and were refused\n", refused);
}

static void write_reloaded(struct json_object *result, Buffer *text)
{
	struct json_object *changed = member(result, "changed"), *waiting = member(result, "at_next_start");

	buffer_text(text, "the settings were read again\n");
	write_settings(changed, "changed: ", text);
	write_settings(waiting, "from the next start of the daemon on: ", text);
	write_module(result, text);
	write_runs(result, text);
}

static int verb_reload(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_call_ Call call = { .name = "reload", .patient = true, .repeatable = true, .changes = true };
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_buffer_ Buffer text = {};
	int r;

	(void)arguments;
	(void)n;
	r = call_ask(ctl, &call, &result);
	if (r != 0)
		return r;
	if (ctl->options.json != JSON_STYLE_NONE)
		output_json(result, ctl->options.json, &text);
	else
		write_reloaded(result, &text);
	if (buffer_error(&text) < 0)
		return ctl_complain_errno(ctl, -ENOMEM);
	ctl_put(ctl, &text);
	return EXIT_SUCCEEDED;
}

static const Verb verbs[] = {
	{ "reload", 0, 0, 0, verb_reload, "", "Read the settings again, and take up a new module", NULL },
};

const VerbGroup reload_verbs = { "The daemon", verbs, ELEMENTSOF(verbs) };
