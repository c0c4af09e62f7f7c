/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/draft.h"

#include <errno.h>

void draft_done(Draft *draft)
{
	json_object_put(draft->json);
	*draft = (Draft){};
}

static bool begin(Draft *draft)
{
	if (!draft->json)
		draft->json = json_object_new_object();
	draft->failed |= !draft->json;
	return !draft->failed;
}

void draft_add(Draft *draft, const char *name, struct json_object *value)
{
	if (value && begin(draft) && json_object_object_add(draft->json, name, value) == 0)
		return;
	draft->failed = true;
	json_object_put(value);
}

void draft_text(Draft *draft, const char *name, const char *text)
{
	if (text)
		draft_add(draft, name, json_object_new_string(text));
}

void draft_flag(Draft *draft, const char *name, bool flag)
{
	if (flag)
		draft_add(draft, name, json_object_new_boolean(true));
}

void draft_int(Draft *draft, const char *name, int64_t value)
{
	draft_add(draft, name, json_object_new_int64(value));
}

int draft_take(Draft *draft, struct json_object **ret)
{
	if (!begin(draft))
		return -ENOMEM;
	*ret = take_ptr(draft->json);
	return 0;
}
