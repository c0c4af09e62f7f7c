/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands behind ryuso_get_int(), ryuso_note() and the rest. libryuso has checked who calls, and text. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "worker/attempt.h"

_Static_assert((int)VALUE_BOOL == (int)RYUSO_VALUE_BOOL && (int)VALUE_STRING == (int)RYUSO_VALUE_STRING,
	       "the types have the same numbers on both sides");

static void lend(const Value *value, struct ryuso_value *ret)
{
	*ret = (struct ryuso_value){ .type = (enum ryuso_value_type)value->type };
	switch (value->type) {
	case VALUE_STRING:
		ret->string = value->string.data;
		break;
	case VALUE_INT:
		ret->integer = value->integer;
		break;
	case VALUE_FLOAT:
		ret->real = value->real;
		break;
	case VALUE_BOOL:
		ret->boolean = value->boolean;
		break;
	default:
		ret->json = value->json;
		break;
	}
}

/* The whole tree is written and read again: that checks everything that a value must be, and makes a copy that nobody
 * else holds. */
static int copy_tree(struct json_object *json, Value *ret)
{
	_cleanup_json_ struct json_object *copy = NULL;
	_cleanup_buffer_ Buffer text = { 0 };
	JsonError error;
	int r;

	json_write(json, &text);
	r = buffer_error(&text);
	if (r < 0)
		return r;
	r = json_parse((const char *)text.data, text.size, JSON_DEPTH_DEFAULT, &copy, &error);
	if (r < 0)
		return r == -EBADMSG ? -EINVAL : r;
	return value_from_json(copy, ret);
}

static int take(const struct ryuso_value *value, Value *ret)
{
	switch (value->type) {
	case RYUSO_VALUE_STRING:
		return value_from_text(value->string, strlen(value->string), ret);
	case RYUSO_VALUE_INT:
		*ret = (Value){ .type = VALUE_INT, .integer = value->integer };
		return 0;
	case RYUSO_VALUE_FLOAT:
		*ret = (Value){ .type = VALUE_FLOAT, .real = value->real };
		return 0;
	case RYUSO_VALUE_BOOL:
		*ret = (Value){ .type = VALUE_BOOL, .boolean = value->boolean };
		return 0;
	case RYUSO_VALUE_LIST:
	case RYUSO_VALUE_DICT:
		return copy_tree(value->json, ret);
	default:
		return -EINVAL;
	}
}

static int lend_argument(const Attempt *attempt, const PlanArg *arg, struct ryuso_value *ret)
{
	const Value *value = pool_get(walk_pool(attempt->run->replay.walk), arg->key);

	if (!value && !arg->arg->has_default)
		return 0;
	lend(value ? value : &arg->arg->fallback, ret);
	return 1;
}

static int on_argument(void *host, unsigned number, struct ryuso_value *ret)
{
	const Attempt *attempt = host;
	const PlanOp *op = attempt->op;

	return number < op->n_args ? lend_argument(attempt, &op->args[number], ret) : -EINVAL;
}

static int on_get(void *host, const char *key, struct ryuso_value *ret)
{
	const Attempt *attempt = host;
	const Pool *pool = walk_pool(attempt->run->replay.walk);
	const Value *value = NULL;
	uint32_t number;

	for (size_t i = 0; i < attempt->op->n_args; i++)
		if (strcmp(attempt->op->args[i].arg->name, key) == 0)
			return lend_argument(attempt, &attempt->op->args[i], ret) > 0 ? 0 : -ENODATA;
	number = pool_find(pool, plan_resolve(attempt->op, key));
	if (number != UINT32_MAX)
		value = pool_get(pool, number);
	if (!value)
		return -ENODATA;
	lend(value, ret);
	return 0;
}

static PoolWrite *find_write(Attempt *attempt, uint32_t key)
{
	for (size_t i = 0; i < attempt->n_writes; i++)
		if (attempt->writes[i].key == key)
			return &attempt->writes[i];
	return NULL;
}

/* Rule 32: what the run's pool would take with this write; on the way back, what all rectifiers have written. */
static int count(Attempt *attempt, uint32_t key, const Value *value, const PoolWrite *earlier)
{
	const Run *run = attempt->run;
	const RecordCaps *caps = &run->worker->caps;
	const Pool *pool = walk_pool(run->replay.walk);
	bool back = attempt->action->rectifying;
	const Value *gone = earlier ? &earlier->value : back ? NULL : pool_get(pool, key);
	size_t size;

	if (attempt->n_writes == 0)
		attempt->size = back ? run->replay.rectified + sizeof(uint32_t) : pool_size(pool);
	size = attempt->size + pool_value_size(pool, key, value);
	size -= gone ? pool_value_size(pool, key, gone) : 0;
	if (size > (back ? caps->rectified : caps->pool))
		return -E2BIG;
	attempt->size = size;
	return 0;
}

static int writes_fit(Attempt *attempt)
{
	size_t capacity = attempt->capacity * 2;
	PoolWrite *own = attempt->writes == attempt->few ? NULL : attempt->writes, *writes;

	if (attempt->n_writes < attempt->capacity)
		return 0;
	writes = reallocarray(own, capacity, sizeof(*writes));
	if (!writes)
		return -ENOMEM;
	if (!own)
		memcpy(writes, attempt->few, sizeof(attempt->few));
	attempt->writes = writes;
	attempt->capacity = capacity;
	return 0;
}

static int put(Attempt *attempt, uint32_t key, const struct ryuso_value *given)
{
	_cleanup_value_ Value value = { 0 };
	PoolWrite *write;
	int r;

	r = take(given, &value);
	if (r < 0)
		return r;
	r = writes_fit(attempt);
	if (r < 0)
		return r;
	write = find_write(attempt, key);
	r = count(attempt, key, &value, write);
	if (r < 0)
		return r;
	if (!write) {
		write = &attempt->writes[attempt->n_writes++];
		*write = (PoolWrite){ .key = key };
	}
	value_done(&write->value);
	write->value = TAKE(value, (Value){ 0 });
	return 0;
}

static int on_set_output(void *host, unsigned number, const struct ryuso_value *value)
{
	Attempt *attempt = host;
	const PlanOp *op = attempt->op;

	return number < op->n_outputs ? put(attempt, op->outputs[number].key, value) : -EINVAL;
}

static int on_set(void *host, const char *name, const struct ryuso_value *value)
{
	Attempt *attempt = host;
	const PlanOp *op = attempt->op;
	uint32_t key;
	int r;

	for (size_t i = 0; i < op->n_outputs; i++)
		if (strcmp(op->outputs[i].arg->name, name) == 0)
			return put(attempt, op->outputs[i].key, value);
	/* Rule 24. */
	if (op->hook->outputs.declared)
		return -EINVAL;
	r = pool_intern(walk_pool(attempt->run->replay.walk), plan_resolve(op, name), &key);
	return r < 0 ? r : put(attempt, key, value);
}

static int on_note(void *host, const char *key, const void *data, size_t size)
{
	Attempt *attempt = host;
	Run *run = attempt->run;
	Buffer *content = &run->worker->content;
	RecordNote note = {
		.step = attempt->action->step,
		.key = key,
		.key_size = strlen(key),
		.data = data,
		.data_size = size,
	};
	int r;

	if (size > run->worker->caps.notes ||
	    run->replay.notes.size + record_note_size(note.key_size, size) > run->worker->caps.notes)
		return -E2BIG;
	buffer_clear(content);
	record_encode_note(&note, content);
	r = run_record(run, RECORD_NOTE);
	if (r < 0)
		return r;
	r = run_sync(run);
	return r < 0 && r != -ENOSPC ? r : notes_add(&run->replay.notes, &note);
}

static int on_noted(void *host, const char *key, const void **ret_data, size_t *ret_size)
{
	const Attempt *attempt = host;
	const Note *note = notes_find(&attempt->run->replay.notes, attempt->action->step, key);

	if (!note)
		return -ENODATA;
	*ret_data = note->data;
	*ret_size = note->size;
	return 0;
}

static int on_log(void *host, int level, const char *text)
{
	(void)host;
	return output_log(level, text);
}

const struct ryuso_host attempt_calls = {
	.argument = on_argument,
	.set_output = on_set_output,
	.get = on_get,
	.set = on_set,
	.note = on_note,
	.noted = on_noted,
	.log = on_log,
};
