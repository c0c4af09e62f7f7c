/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run takes of its user's share. */
#include "base/json.h"
#include "daemon/run.h"

/* About what json-c takes for it. */
#define NODE_WEIGHT 64U
#define MEMBER_WEIGHT 64U
#define OBJECT_WEIGHT 1024U
#define ARRAY_WEIGHT 96U

static size_t json_weight(struct json_object *value)
{
	size_t weight = NODE_WEIGHT;

	switch (json_object_get_type(value)) {
	case json_type_string:
		return weight + (size_t)json_object_get_string_len(value);
	case json_type_array:
		weight += ARRAY_WEIGHT;
		for (size_t i = 0; i < json_object_array_length(value); i++)
			weight += 2 * sizeof(void *) + json_weight(json_object_array_get_idx(value, i));
		return weight;
	case json_type_object:
		weight += OBJECT_WEIGHT;
		json_object_object_foreach(value, name, member) weight +=
			MEMBER_WEIGHT + strlen(name) + json_weight(member);
		return weight;
	default:
		return weight;
	}
}

size_t run_weight(Run *run)
{
	if (run->metadata && run->metadata_weight == 0)
		run->metadata_weight = json_weight(run->metadata);
	return sizeof(*run) + run->metadata_weight + run->order.capacity + run->reply.capacity + run->records.capacity;
}

void run_weigh(Run *run)
{
	if (run->user)
		user_weigh(run->user, USER_RUNS, &run->weight, run_weight(run));
}

void run_charge(Run *run, User *user)
{
	run->user = user_reference(user);
	run->waits = true;
	user->n_waiting++;
	run_weigh(run);
}

void run_waits_no_more(Run *run)
{
	if (!run->waits)
		return;
	run->waits = false;
	run->user->n_waiting--;
}

void run_discharge(Run *run)
{
	if (!run->user)
		return;
	run_waits_no_more(run);
	user_weigh(run->user, USER_RUNS, &run->weight, 0);
	run->user = user_release(run->user);
}
