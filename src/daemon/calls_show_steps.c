/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `show` says of the steps of a run that is not parked: of one in hand by its records, of one that has ended by what
 * its reply says. */
#include <errno.h>
#include <string.h>

#include "daemon/calls_show.h"
#include "daemon/recovery.h"
#include "daemon/stored_reply.h"
#include "tell/account.h"

int show_running_steps(const Calls *calls, const Run *run, struct json_object *object)
{
	const Recorder *recorder = &calls->crew->recorder;
	const RecordPage *page = recorder_page(recorder);
	size_t tail = atomic_load_explicit(&page->tail, memory_order_acquire);
	_cleanup_buffer_ Buffer records = { 0 };
	_cleanup_replay_ Replay replay = { 0 };
	RecordStart start;
	size_t offset = 0;
	Record record;
	int r;

	if (run->offset == 0 || tail <= run->offset)
		return 0;
	recovery_pack(&recorder->file, recorder->number, run->offset, tail - run->offset, &records);
	r = buffer_error(&records);
	if (r >= 0)
		r = replay_packed(&replay, run->program->plan, records.data, records.size);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* what is recorded does not hold: others find that out, and say so */
	if (record_unpack(records.data, records.size, &offset, &record) <= 0 ||
	    record_decode_start(&record, &start) < 0)
		return 0;
	return account_add_steps(object, &replay, &start);
}

/* The entry of that step in one of the reply's lists, or NULL. */
static struct json_object *find_step(struct json_object *reply, const char *list, uint32_t step)
{
	struct json_object *steps = stored_member(reply, list);

	if (!json_object_is_type(steps, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *entry = json_object_array_get_idx(steps, i);

		if (stored_number(entry, "step") == step)
			return entry;
	}
	return NULL;
}

/* What is certain of it; NULL: nothing is. */
static const char *state_of(struct json_object *reply, uint32_t step)
{
	struct json_object *remaining = find_step(reply, "remaining", step);
	int64_t failed = stored_number(stored_member(reply, "error"), "step");
	const char *status = stored_text(reply, "status");

	if (remaining)
		return walk_stand_name(stored_member(remaining, "in_doubt") ? WALK_STAND_DOUBT : WALK_STAND_DONE);
	if (find_step(reply, "rectified", step))
		return walk_stand_name(WALK_STAND_REVERSED);
	if (status && strcmp(status, walk_status_name(WALK_SUCCEEDED)) == 0)
		return walk_stand_name(WALK_STAND_DONE);
	/* an operator may have had a settled run go on past the step that failed */
	if (failed == 0 || !status || strcmp(status, walk_status_name(WALK_RECTIFIED)) != 0)
		return NULL;
	if (step == failed)
		return walk_stand_name(WALK_STAND_FAILED);
	return walk_stand_name(step < failed ? WALK_STAND_DONE : WALK_STAND_AHEAD);
}

struct json_object *show_ended_steps(const CatalogProgram *program, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();
	const Plan *plan = program->plan;

	for (uint32_t step = 1; list && step <= plan->n_steps; step++) {
		Members members;

		members_begin(&members);
		members_int(&members, "step", step);
		members_text(&members, "hook", plan->ops[plan->steps[step - 1].op].hook->name);
		members_text_or_null(&members, "state", state_of(reply, step));
		members_bool(&members, "irreversible", plan->steps[step - 1].irreversible);
		list = members_append(list, members_end(&members));
	}
	return list;
}
