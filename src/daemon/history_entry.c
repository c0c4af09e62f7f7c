/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of the list. */
#include <errno.h>

#include "daemon/history.h"
#include "daemon/stored_reply.h"

static void members_seconds(Members *members, const char *name, uint64_t usec)
{
	if (usec > 0)
		members_add(members, name, json_object_new_double((double)usec / USEC_PER_SEC));
	else
		members_null(members, name);
}

static void members_count(Members *members, const char *name, uint64_t number)
{
	if (number > 0)
		members_int(members, name, number);
	else
		members_null(members, name);
}

static void add_error(Members *members, const HistoryEntry *entry)
{
	struct json_object *error = stored_member(entry->reply, "error");
	const char *name = stored_text(error, "name");
	Members told;

	if (!name && entry->error == ERROR_NONE) {
		members_null(members, "error");
		return;
	}
	members_begin(&told);
	members_text(&told, "name", name ? name : error_name(entry->error));
	members_text_or_null(&told, "reason", stored_text(error, "reason"));
	members_text_or_null(&told, "message", stored_text(error, "message"));
	members_add(members, "error", members_end(&told));
}

/* Where it is parked, or else failed: its reply says more of that than its row. */
static void find_place(const HistoryEntry *entry, uint32_t *ret_step, const char **ret_hook)
{
	struct json_object *place = stored_member(entry->reply, "parked");

	if (!place)
		place = stored_member(entry->reply, "error");
	*ret_step = stored_member(place, "step") ? (uint32_t)stored_number(place, "step") : entry->step;
	*ret_hook = stored_text(place, "hook") ? stored_text(place, "hook") : entry->hook;
}

static struct json_object *describe(const HistoryEntry *entry)
{
	const char *hook;
	uint32_t step;
	Members members;

	find_place(entry, &step, &hook);
	members_begin(&members);
	members_id(&members, "run", entry->run);
	members_text_or_null(&members, "program", entry->program);
	members_text(&members, "status", entry->status);
	members_int(&members, "uid", entry->uid);
	members_int(&members, "pid", entry->pid);
	members_seconds(&members, "submitted", entry->submitted_usec);
	members_seconds(&members, "began", entry->begun_usec);
	members_seconds(&members, "ended", entry->ended_usec);
	members_count(&members, "step", step);
	members_count(&members, "steps", entry->steps);
	members_text_or_null(&members, "hook", hook);
	add_error(&members, entry);
	members_text(&members, "request_id", entry->request_id);
	return members_end(&members);
}

int history_add(History *history, const HistoryEntry *entry)
{
	struct json_object *object;

	if (history->n >= history->limit || history->n_replies > HISTORY_REPLIES_MAX) {
		history->more = true;
		return 1;
	}
	object = describe(entry);
	if (!object)
		return -ENOMEM;
	history->items[history->n++] = (HistoryItem){ .object = object, .ended_usec = entry->ended_usec };
	return 0;
}

struct json_object *history_list(const History *history)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < history->n; i++)
		list = members_append(list, json_object_get(history->items[i].object));
	return list;
}

void history_done(History *history)
{
	for (size_t i = 0; i < history->n; i++)
		json_object_put(history->items[i].object);
	history->n = 0;
}
