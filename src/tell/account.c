/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell/account.h"

#include <errno.h>
#include <string.h>

#include "tell/result.h"

/* Takes \p value, whatever becomes of it. */
static int put(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int put_text(struct json_object *object, const char *name, const char *text)
{
	return put(object, name, json_object_new_string(text));
}

static int put_number(struct json_object *object, const char *name, uint64_t number)
{
	return put(object, name, json_object_new_int64((int64_t)number));
}

static int push(struct json_object *array, struct json_object *value)
{
	if (value && json_object_array_add(array, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

/* Arguments */

static int add_argument(struct json_object *arguments, struct json_object *secrets, const Replay *replay,
			const PoolWrite *write)
{
	const char *name = pool_key_name(walk_pool(replay->walk), write->key);

	if (!plan_key_secret(replay->plan, name))
		return put(arguments, name, value_to_json(&write->value));
	if (json_object_object_add(arguments, name, NULL) < 0)
		return -ENOMEM;
	return push(secrets, json_object_new_string(name));
}

static int add_arguments(struct json_object *object, const Replay *replay, const RecordStart *start)
{
	Reader reader = reader_make(start->arguments, start->arguments_size);
	_cleanup_json_ struct json_object *arguments = json_object_new_object();
	_cleanup_json_ struct json_object *secrets = json_object_new_array();
	PoolWrite *writes;
	size_t n;
	int r;

	if (!arguments || !secrets)
		return -ENOMEM;
	r = pool_decode_writes(walk_pool(replay->walk), &reader, &writes, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_argument(arguments, secrets, replay, &writes[i]);
	pool_writes_free(writes, n);
	if (r >= 0)
		r = put(object, "arguments", take_ptr(arguments));
	if (r >= 0)
		r = put(object, "secrets", take_ptr(secrets));
	return r;
}

/* Steps */

static const SpecHook *step_hook(const Plan *plan, uint32_t step)
{
	return plan->ops[plan->steps[step - 1].op].hook;
}

static int add_rectifiers(struct json_object *object, const SpecHook *hook)
{
	struct json_object *names = json_object_new_array();
	int r = names ? 0 : -ENOMEM;

	for (size_t i = 0; i < hook->rectifiers.n && r >= 0; i++) {
		const SpecReference *reference = &hook->rectifiers.items[i];

		r = push(names,
			 json_object_new_string(reference->hook ? reference->hook->name : reference->program->name));
	}
	if (r >= 0)
		return put(object, "rectifiers", names);
	json_object_put(names);
	return r;
}

static int add_step(struct json_object *steps, const Replay *replay, uint32_t step)
{
	_cleanup_json_ struct json_object *object = json_object_new_object();
	const SpecHook *hook = step_hook(replay->plan, step);
	int r;

	if (!object)
		return -ENOMEM;
	r = put_number(object, "step", step);
	if (r >= 0)
		r = put_text(object, "hook", hook->name);
	if (r >= 0)
		r = put_text(object, "state", walk_stand_name(walk_stand(replay->walk, step)));
	if (r >= 0)
		r = put_number(object, "attempts", replay->steps[step - 1].attempts);
	if (r >= 0 && replay->steps[step - 1].usec > 0)
		r = put_number(object, "usec", replay->steps[step - 1].usec);
	if (r >= 0)
		r = add_rectifiers(object, hook);
	if (r >= 0)
		r = put(object, "irreversible", json_object_new_boolean(replay->plan->steps[step - 1].irreversible));
	return r < 0 ? r : push(steps, take_ptr(object));
}

static int add_steps(struct json_object *object, const Replay *replay)
{
	_cleanup_json_ struct json_object *steps = json_object_new_array();
	int r = steps ? 0 : -ENOMEM;

	for (uint32_t step = 1; step <= replay->plan->n_steps && r >= 0; step++)
		r = add_step(steps, replay, step);
	return r < 0 ? r : put(object, "steps", take_ptr(steps));
}

/* What the reply says, in its own words */

static int parse_result(Replay *replay, struct json_object **ret)
{
	_cleanup_buffer_ Buffer text = { 0 };
	WalkError error;
	JsonError wrong;
	int r;

	buffer_u8(&text, '{');
	if (replay->set_aside)
		r = result_write_aside(replay->walk, replay->plan, &(WalkError){ 0 }, &text, &error);
	else
		r = result_write(replay->walk, replay->plan, &text, &error);
	if (r < 0)
		return r;
	r = json_parse((const char *)text.data, text.size, JSON_DEPTH_MAX, ret, &wrong);
	return r == -EBADMSG ? -EINVAL : r;
}

static int add_result(struct json_object *object, Replay *replay)
{
	_cleanup_json_ struct json_object *result = NULL;
	struct json_object *error = NULL, *parked = NULL, *remaining = NULL;
	int r;

	r = parse_result(replay, &result);
	if (r < 0)
		return r;
	json_object_object_get_ex(result, "error", &error);
	json_object_object_get_ex(result, "parked", &parked);
	if (json_object_object_add(object, "error", json_object_get(error)) < 0 ||
	    json_object_object_add(object, "parked", json_object_get(parked)) < 0)
		return -ENOMEM;
	if (json_object_object_get_ex(result, "remaining", &remaining))
		return put(object, "remaining", json_object_get(remaining));
	return put(object, "remaining", json_object_new_array());
}

/* What comes next */

static int add_calls(struct json_object *next, const Plan *plan, const WalkAction *from, uint32_t first, uint32_t end)
{
	int r = 0;

	for (uint32_t i = first; i < end && r >= 0; i++) {
		_cleanup_json_ struct json_object *call = NULL;
		const PlanOp *op = &plan->ops[i];

		if (op->kind != PLAN_CALL)
			continue;
		call = json_object_new_object();
		r = call ? put_number(call, "step", op->step) : -ENOMEM;
		if (r >= 0)
			r = put_text(call, "hook", op->hook->name);
		if (r >= 0)
			r = put(call, "rectifying", json_object_new_boolean(from->rectifying));
		if (r >= 0)
			r = push(next, take_ptr(call));
	}
	return r;
}

static bool is_left(const Walk *walk, uint32_t step)
{
	WalkStand stand = walk_stand(walk, step);

	return stand == WALK_STAND_DONE || stand == WALK_STAND_DOUBT;
}

/* From the call that comes next on: what is called if everything goes well. */
static int add_way(struct json_object *next, const Replay *replay, const WalkAction *from)
{
	const Plan *plan = replay->plan;
	const PlanStep *step;
	int r;

	if (!from->rectifying)
		return add_calls(next, plan, from, from->op, plan->n_forward);
	step = &plan->steps[from->step - 1];
	r = add_calls(next, plan, from, from->op, step->rectifiers + step->n_rectifiers);
	for (uint32_t n = from->step - 1; n > 0 && r >= 0; n--) {
		step = &plan->steps[n - 1];
		if (is_left(replay->walk, n))
			r = add_calls(next, plan, from, step->rectifiers, step->rectifiers + step->n_rectifiers);
	}
	return r;
}

/* The walk is led on to its next call: nothing else may be asked of it afterwards. */
static int find_next(Replay *replay, WalkAction *ret)
{
	WalkError parked;
	int r = 0;

	walk_parked(replay->walk, &parked);
	if (walk_status(replay->walk) == WALK_PARKED)
		r = walk_retry(replay->walk, parked.step);
	if (r < 0)
		return r;
	do
		r = walk_next(replay->walk, replay->now_usec, ret);
	while (r >= 0 && ret->kind == WALK_WAIT);
	return r;
}

static int add_next(struct json_object *object, Replay *replay)
{
	_cleanup_json_ struct json_object *next = json_object_new_array();
	WalkAction from = { .kind = WALK_END };
	int r;

	if (!next)
		return -ENOMEM;
	/* A retry of what was set aside only brings up what was behind it. */
	r = replay->set_aside ? 0 : find_next(replay, &from);
	if (r >= 0 && from.kind == WALK_CALL)
		r = add_way(next, replay, &from);
	return r < 0 ? r : put(object, "next", take_ptr(next));
}

int account_add_steps(struct json_object *object, const Replay *replay, const RecordStart *start)
{
	int r = add_arguments(object, replay, start);

	return r < 0 ? r : add_steps(object, replay);
}

int account_add(struct json_object *object, Replay *replay, const RecordStart *start)
{
	int r;

	r = account_add_steps(object, replay, start);
	if (r >= 0)
		r = add_result(object, replay);
	if (r >= 0)
		r = add_next(object, replay);
	return r;
}
