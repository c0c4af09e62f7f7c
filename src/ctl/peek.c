/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/peek.h"

#include <errno.h>

#include "base/clock.h"
#include "ctl/draft.h"
#include "ctl/member.h"

static int make_request(const char *call, const char *run, struct json_object **ret)
{
	_cleanup_draft_ Draft request = {}, parameters = {};
	_cleanup_json_ struct json_object *json = NULL;
	int r;

	draft_text(&request, "call", call);
	draft_text(&parameters, "run", run);
	r = draft_take(&parameters, &json);
	if (r < 0)
		return r;
	if (run)
		draft_add(&request, "parameters", take_ptr(json));
	return draft_take(&request, ret);
}

struct json_object *peek(const char *socket, const char *call, const char *run, uint64_t limit_usec)
{
	_cleanup_json_ struct json_object *request = NULL, *answer = NULL;
	Connection connection = { .fd = -EBADF };
	struct json_object *result = NULL;

	if (make_request(call, run, &request) < 0 ||
	    connection_open(socket, clock_monotonic() + limit_usec, &connection) < 0)
		return NULL;
	if (connection_send(&connection, request) >= 0 && connection_receive(&connection, &answer) >= 0)
		result = member_typed(answer, "result", json_type_object);
	connection_done(&connection);
	return json_object_get(result);
}
