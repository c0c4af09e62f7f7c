/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/call.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "ctl/draft.h"
#include "ctl/exchange.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/report.h"

void call_done(Call *call)
{
	json_object_put(take_ptr(call->parameters));
}

static int make_call(const Call *call, struct json_object **ret)
{
	_cleanup_draft_ Draft draft = {};

	draft_text(&draft, "call", call->name);
	if (call->parameters && json_object_object_length(call->parameters) > 0)
		draft_add(&draft, "parameters", json_object_get(call->parameters));
	return draft_take(&draft, ret);
}

static int explain_doubt(const Ctl *ctl, const Call *call, int error)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "%s: whether '%s' was done is not known\n  %-8s see with:  ", exchange_explain(error),
		      call->name, "next");
	hint_write_command(ctl, call->run ? "show" : "status", call->run, &message);
	return ctl_complain_text(ctl, EXIT_UNKNOWN, &message);
}

int call_explain(const Ctl *ctl, const Call *call, int error, bool unsettled)
{
	if (unsettled && call->changes && error != -ENOMEM)
		return explain_doubt(ctl, call, error);
	switch (-error) {
	case ETIME:
		return ctl_complain(ctl, EXIT_UNKNOWN,
				    "no answer to '%s' within the time of --timeout; try again with a longer one",
				    call->name);
	case EINTR:
		return ctl_complain(ctl, EXIT_UNKNOWN, "interrupted before '%s' was answered", call->name);
	case ENODATA:
	case EPIPE:
		return ctl_complain(
			ctl, EXIT_ABSENT,
			"the daemon ended the connection before it answered '%s'; see journalctl -u 'ryuso*'",
			call->name);
	case EBADMSG:
		return ctl_complain(ctl, EXIT_ABSENT, "what answered '%s' at %s is no ryusod: that is not JSON",
				    call->name, ctl->options.socket);
	case ENOMEM:
		return ctl_complain_errno(ctl, error);
	default:
		return ctl_complain(ctl, EXIT_ABSENT, "the connection broke before '%s' was answered: %s", call->name,
				    strerror(-error));
	}
}

int call_answer(Ctl *ctl, const Call *call, struct json_object **ret_answer, bool *ret_unsettled)
{
	_cleanup_json_ struct json_object *request = NULL, *answer = NULL;
	Patience patience = { .ctl = ctl, .run = call->run, .follow = call->follow };
	_cleanup_exchange_ Exchange exchange = { .ctl = ctl,
						 .follow = call->follow,
						 .patience = call->lasting ? &patience : NULL,
						 .patient = call->patient,
						 .repeatable = call->repeatable,
						 .passing = call->passing };
	int r;

	r = make_call(call, &request);
	if (r >= 0) {
		exchange.request = request;
		r = exchange_ask(&exchange, &answer);
	}
	*ret_unsettled = exchange.unsettled;
	if (r != 0)
		return r;
	if (!member_typed(answer, "error", json_type_object) && !member_typed(answer, "result", json_type_object))
		return ctl_complain(ctl, EXIT_ABSENT,
				    "what answered '%s' at %s is no ryusod: expected a result or an error", call->name,
				    ctl->options.socket);
	*ret_answer = take_ptr(answer);
	return 0;
}

int call_ask(Ctl *ctl, const Call *call, struct json_object **ret_result)
{
	_cleanup_json_ struct json_object *answer = NULL;
	bool unsettled;
	int r;

	r = call_answer(ctl, call, &answer, &unsettled);
	if (r < 0)
		return call_explain(ctl, call, r, unsettled);
	if (r > 0)
		return r;
	if (member_typed(answer, "error", json_type_object))
		return report_refusal(ctl, answer, call);
	*ret_result = json_object_get(member(answer, "result"));
	return 0;
}

char *call_closest_program(Ctl *ctl, const char *program)
{
	_cleanup_json_ struct json_object *request = NULL, *answer = NULL;
	_cleanup_free_ const char **names = NULL;
	struct json_object *programs;
	const char *close;
	size_t n;

	if (make_call(&(Call){ .name = "list" }, &request) < 0 || connection_send(&ctl->connection, request) < 0 ||
	    connection_receive(&ctl->connection, &answer) < 0)
		return NULL;
	programs = member_list(member(answer, "result"), "programs");
	n = member_length(programs);
	names = calloc(n ? n : 1, sizeof(*names));
	if (!names)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		names[i] = member_text(json_object_array_get_idx(programs, i), "name");
		names[i] = names[i] ? names[i] : "";
	}
	close = text_closest(program, names, n);
	return close ? strdup(close) : NULL;
}
