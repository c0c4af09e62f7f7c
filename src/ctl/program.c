/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/program.h"

#include <errno.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exchange.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/literal.h"
#include "ctl/member.h"
#include "ctl/pairs.h"
#include "ctl/source.h"

void program_request_done(ProgramRequest *request)
{
	json_object_put(take_ptr(request->body));
}

/** \brief --data: the object that the pairs are added to. */
static int read_data(const char *data, struct json_object **ret, Buffer *message)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_buffer_ Buffer content = {}, clause = {};
	int r;

	if (strcmp(data, "-") == 0 || data[0] == '@')
		r = source_read(data[0] == '@' ? data + 1 : data, &content, &clause);
	else
		buffer_text(&content, data), r = buffer_error(&content);
	if (r >= 0)
		r = literal_json(content.data ? (const char *)content.data : "", content.size, &json, &clause);
	if (r >= 0 && !json_object_is_type(json, json_type_object)) {
		buffer_format(&clause, "expected a JSON object, got %s", json_kind(json));
		r = -EBADMSG;
	}
	if (r < 0) {
		buffer_text(message, "--data: ");
		buffer_append(message, clause.data, clause.size);
		return r == -ENOMEM ? r : -EINVAL;
	}
	*ret = take_ptr(json);
	return 0;
}

/** \brief 0 with what `describe` says, or what to exit with. */
static int describe(Ctl *ctl, const char *program, struct json_object **ret)
{
	_cleanup_call_ Call call = { .name = "describe", .patient = true, .repeatable = true, .program = program };
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_text(&draft, "program", program);
	r = draft_take(&draft, &call.parameters);
	return r < 0 ? ctl_complain_errno(ctl, r) : call_ask(ctl, &call, ret);
}

/** \brief 0 with the data pool, or what to exit with. */
static int make_pool(Ctl *ctl, const char *program, char *const *words, size_t n, struct json_object **ret)
{
	_cleanup_json_ struct json_object *pool = NULL, *description = NULL;
	_cleanup_buffer_ Buffer message = {};
	_cleanup_pairs_ Pairs pairs = {};
	int r;

	r = pairs_parse(words, n, &pairs, &message);
	if (r >= 0 && ctl->options.data)
		r = read_data(ctl->options.data, &pool, &message);
	if (r >= 0 && !pool && !(pool = json_object_new_object()))
		r = -ENOMEM;
	if (r >= 0 && pairs_need_types(&pairs)) {
		r = describe(ctl, program, &description);
		if (r != 0)
			return r;
	}
	if (r >= 0)
		r = pairs_add(&pairs, member_list(description, "args"), pool, &message);
	if (r == -EINVAL)
		return ctl_complain_text(ctl, EXIT_USAGE, &message);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	*ret = take_ptr(pool);
	return 0;
}

static int choose_request_id(const Options *options, ProgramRequest *request)
{
	Id id;
	int r;

	request->request_id = options->request_id;
	if (request->request_id || options->given & OPTION_NO_REQUEST_ID)
		return 0;
	r = id_random(&id);
	if (r < 0)
		return r;
	id_format(&id, request->random);
	request->request_id = request->random;
	return 0;
}

static int make_body(const Ctl *ctl, ProgramRequest *request, struct json_object *pool, bool wait)
{
	_cleanup_draft_ Draft draft = {};

	draft_text(&draft, "program", request->program);
	draft_add(&draft, "data_pool", json_object_get(pool));
	draft_text(&draft, "request_id", request->request_id);
	if (!wait)
		draft_add(&draft, "wait", json_object_new_boolean(false));
	draft_flag(&draft, "follow", ctl->options.follow);
	return draft_take(&draft, &request->body);
}

int program_request_make(Ctl *ctl, char *const *words, size_t n, bool wait, ProgramRequest *ret)
{
	_cleanup_json_ struct json_object *pool = NULL;
	int r;

	*ret = (ProgramRequest){ .program = words[0] };
	r = make_pool(ctl, words[0], words + 1, n - 1, &pool);
	if (r != 0)
		return r;
	r = choose_request_id(&ctl->options, ret);
	if (r >= 0)
		r = make_body(ctl, ret, pool, wait);
	return r < 0 ? ctl_complain_errno(ctl, r) : 0;
}

/** \brief "ryusoctl run --request-id=… transfer" */
static void write_command(const Ctl *ctl, const ProgramRequest *request, const char *verb, Buffer *text)
{
	_cleanup_buffer_ Buffer words = {};
	_cleanup_free_ char *command = NULL;

	buffer_format(&words, "%s --request-id=", verb);
	output_quote(request->request_id, &words);
	buffer_text(&words, " ");
	output_quote(request->program, &words);
	command = buffer_take_text(&words);
	ctl_command(ctl, command ? command : verb, text);
}

static int explain_unknown(const Ctl *ctl, const ProgramRequest *request, const char *verb, const char *run, int error)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "%s: the outcome of ", exchange_explain(error));
	output_escape(request->program, &message);
	buffer_text(&message, " is unknown: it may have run, and may still be running.\n");
	if (request->request_id) {
		buffer_format(&message, "  %-8s ask again with the same arguments; nothing is done twice:\n  %-8s   ",
			      "next", "");
		write_command(ctl, request, verb, &message);
		buffer_text(&message, " …\n");
	} else {
		buffer_format(&message, "  %-8s do not simply ask again\n", "next");
	}
	if (run) {
		buffer_format(&message, "  %-8s ", request->request_id ? "or" : "wait");
		hint_write_command(ctl, "wait", run, &message);
		buffer_text(&message, "\n");
	}
	buffer_format(&message, "  %-8s ", "trace");
	hint_write_trace(ctl, run, request->program, &message);
	return ctl_complain_text(ctl, EXIT_UNKNOWN, &message);
}

int program_request_explain(const Ctl *ctl, const ProgramRequest *request, const char *verb, const char *run,
			    bool unsettled, int error)
{
	if (error == -ENOMEM)
		return ctl_complain_errno(ctl, error);
	if (unsettled)
		return explain_unknown(ctl, request, verb, run, error);
	if (error == -EPIPE)
		return ctl_complain(ctl, EXIT_ABSENT,
				    "the daemon ended the connection and had not taken the whole request: nothing ran");
	return ctl_complain(ctl, EXIT_ABSENT, "%s; nothing ran", exchange_explain(error));
}
