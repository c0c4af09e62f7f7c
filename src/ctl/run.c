/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "ctl/exit.h"
#include "ctl/follow.h"
#include "ctl/hint.h"
#include "ctl/literal.h"
#include "ctl/member.h"
#include "ctl/pairs.h"
#include "ctl/report.h"
#include "ctl/source.h"
#include "ctl/verb.h"

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
		r = ctl_call(ctl, "describe", program, &description);
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

static int add(struct json_object *json, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(json, name, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int make_request(const Ctl *ctl, const char *program, struct json_object *pool, struct json_object **ret)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();

	if (!request || add(request, "program", json_object_new_string(program)) < 0 ||
	    add(request, "data_pool", json_object_get(pool)) < 0)
		return -ENOMEM;
	if (ctl->options.follow && add(request, "follow", json_object_new_boolean(true)) < 0)
		return -ENOMEM;
	*ret = take_ptr(request);
	return 0;
}

/** \brief Events, until the reply has come and is shown: what to exit with, or a negative errno. */
static int receive(Ctl *ctl, Follow *follow)
{
	for (;;) {
		_cleanup_json_ struct json_object *message = NULL;
		int r;

		r = connection_receive(&ctl->connection, &message);
		if (r < 0)
			return r;
		if (member_text(message, "event") && !member(message, "status")) {
			r = follow_event(follow, message);
			if (r < 0)
				return r;
			continue;
		}
		follow_settle(follow);
		return report_run(ctl, message);
	}
}

static const char *describe_break(int error)
{
	switch (-error) {
	case ETIME:
		return "no answer came within the time of --timeout";
	case ENODATA:
		return "the daemon ended the connection before it answered";
	case EBADMSG:
		return "what came back is no answer of a ryuso daemon";
	default:
		return strerror(-error);
	}
}

static int explain_unknown(const Ctl *ctl, const char *program, const Follow *follow, int error)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "%s: the outcome of ", describe_break(error));
	output_escape(program, &message);
	buffer_text(&message, " is unknown: it may have run, and may still be running.\n  Do not simply ask again. "
			      "Find out with:  ");
	hint_write_trace(follow->run, program, &message);
	buffer_text(&message, "  or  ");
	ctl_command(ctl, "status", &message);
	return ctl_complain_text(ctl, EXIT_UNKNOWN, &message);
}

/** \brief The daemon did not take the whole request: it may have said why. */
static int explain_unsent(Ctl *ctl, Follow *follow, int error)
{
	int r = error == -EPIPE || error == -ECONNRESET ? receive(ctl, follow) : error;

	if (r >= 0)
		return r;
	if (r == -ENOMEM)
		return ctl_complain_errno(ctl, r);
	return ctl_complain(ctl, EXIT_ABSENT, "%s and had not taken the whole request: nothing ran",
			    r == -ETIME ? "the daemon was too slow" : "the daemon ended the connection");
}

static int run_program(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_json_ struct json_object *pool = NULL, *request = NULL;
	_cleanup_follow_ Follow follow = { .ctl = ctl };
	const char *program = arguments[0];
	int r;

	r = make_pool(ctl, program, arguments + 1, n - 1, &pool);
	if (r != 0)
		return r;
	r = make_request(ctl, program, pool, &request);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	r = ctl_connect(ctl);
	if (r != 0)
		return r;
	r = connection_send(&ctl->connection, request);
	if (r < 0)
		return explain_unsent(ctl, &follow, r);
	r = receive(ctl, &follow);
	follow_settle(&follow);
	return r < 0 ? explain_unknown(ctl, program, &follow, r) : r;
}

static const Verb verbs[] = {
	{ "run", 1, VERB_ARGUMENTS_ANY, OPTION_FOLLOW | OPTION_DATA, run_program,
	  "PROGRAM [NAME=VALUE | NAME:=JSON | NAME=@FILE]…", "Run a program and show how it ended",
	  "  NAME=VALUE              an argument, converted to the type that the program declares\n"
	  "  NAME:=JSON              the same, as JSON\n"
	  "  NAME=@FILE              the same, read from a file (-: from standard input)\n"
	  "     --data=OBJECT        all arguments as one JSON object; @FILE or - to read it\n"
	  "  -f --follow             a line for each hook and rectifier as it ends\n" },
};

const VerbGroup run_verbs = { "Running programs", verbs, ELEMENTSOF(verbs) };
