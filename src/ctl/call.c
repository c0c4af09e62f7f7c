/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctl/exit.h"
#include "ctl/member.h"
#include "ctl/report.h"

static int add_text(struct json_object *json, const char *name, const char *text)
{
	struct json_object *value = json_object_new_string(text);

	if (value && json_object_object_add(json, name, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int add_parameters(struct json_object *json, const char *program)
{
	_cleanup_json_ struct json_object *parameters = json_object_new_object();

	if (!parameters || add_text(parameters, "program", program) < 0 ||
	    json_object_object_add(json, "parameters", parameters) < 0)
		return -ENOMEM;
	take_ptr(parameters);
	return 0;
}

static int send_call(Ctl *ctl, const char *name, const char *program)
{
	_cleanup_json_ struct json_object *json = json_object_new_object();

	if (!json || add_text(json, "call", name) < 0)
		return -ENOMEM;
	if (program && add_parameters(json, program) < 0)
		return -ENOMEM;
	return connection_send(&ctl->connection, json);
}

/** \brief Sends and receives; what the other side said before it hung up counts. Says nothing. */
static int exchange(Ctl *ctl, const char *name, const char *program, struct json_object **ret)
{
	int r;

	r = send_call(ctl, name, program);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	return connection_receive(&ctl->connection, ret);
}

static int explain_exchange(const Ctl *ctl, const char *name, int error)
{
	switch (-error) {
	case ETIME:
		return ctl_complain(ctl, EXIT_UNKNOWN,
				    "no answer to '%s' within the time of --timeout; try again with a longer one",
				    name);
	case ENODATA:
		return ctl_complain(
			ctl, EXIT_ABSENT,
			"the daemon ended the connection before it answered '%s'; see journalctl -u 'ryuso*'", name);
	case EBADMSG:
		return ctl_complain(ctl, EXIT_ABSENT, "what answered '%s' at %s is no ryusod: that is not JSON", name,
				    ctl->options.socket);
	case ENOMEM:
		return ctl_complain_errno(ctl, error);
	default:
		return ctl_complain(ctl, EXIT_ABSENT, "the connection broke before '%s' was answered: %s", name,
				    strerror(-error));
	}
}

int ctl_call(Ctl *ctl, const char *name, const char *program, struct json_object **ret_result)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *result;
	int r;

	r = ctl_connect(ctl);
	if (r != 0)
		return r;
	r = exchange(ctl, name, program, &answer);
	if (r < 0)
		return explain_exchange(ctl, name, r);
	if (member_typed(answer, "error", json_type_object))
		return report_refusal(ctl, answer, program);
	result = member_typed(answer, "result", json_type_object);
	if (!result)
		return ctl_complain(ctl, EXIT_ABSENT,
				    "what answered '%s' at %s is no ryusod: expected a result or an error", name,
				    ctl->options.socket);
	*ret_result = json_object_get(result);
	return 0;
}

char *ctl_closest_program(Ctl *ctl, const char *program)
{
	_cleanup_json_ struct json_object *answer = NULL;
	_cleanup_free_ const char **names = NULL;
	struct json_object *programs;
	const char *close;
	size_t n;

	if (exchange(ctl, "list", NULL, &answer) < 0)
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
