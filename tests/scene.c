/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/scene.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#define SCENE_START_USEC 1000000000ULL

/* Reads "name=value", value being JSON with ' for ", and returns what follows it. */
static const char *take_write(const char *at, const char *ends, Pool *pool, const PlanOp *op, PoolWrite *ret)
{
	char name[SPEC_NAME_MAX];
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;
	size_t size;

	at = scene_name(at, name) + 1;
	size = strcspn(at, ends);
	text = scene_quoted(at, size);
	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_DEFAULT, &json, &error), 0);
	ck_assert_int_eq(value_from_json(json, &ret->value), 0);
	ck_assert_int_eq(pool_intern(pool, op ? plan_resolve(op, name) : name, &ret->key), 0);
	return at + size;
}

static size_t take_writes(const char *at, char between, const char *ends, Pool *pool, const PlanOp *op,
			  PoolWrite writes[static SCENE_CALLS_MAX])
{
	size_t n = 0;

	while (*at && *at != ' ') {
		at = take_write(at, ends, pool, op, &writes[n++]);
		if (*at != between)
			break;
		at++;
	}
	return n;
}

Scene *scene_open(const char *spec, const char *data)
{
	Scene *scene = calloc(1, sizeof(*scene));
	PoolWrite writes[SCENE_CALLS_MAX];
	Pool *pool;
	size_t n;

	ck_assert_ptr_nonnull(scene);
	scene->now_usec = SCENE_START_USEC;
	scene_load(scene, spec);
	ck_assert_int_eq(pool_new(scene->plan->keys, scene->plan->n_keys, &pool), 0);
	n = take_writes(data, ' ', " ", pool, NULL, writes);
	ck_assert_int_eq(walk_new(scene->plan, writes, n, scene->now_usec, &scene->walk), 0);
	for (size_t i = 0; i < n; i++)
		value_done(&writes[i].value);
	pool_free(pool);
	return scene;
}

Scene *scene_close(Scene *scene)
{
	walk_free(scene->walk);
	plan_free(scene->plan);
	spec_free(scene->spec);
	buffer_done(&scene->trace);
	buffer_done(&scene->waits);
	for (size_t i = 0; i < scene->n_calls; i++)
		free(scene->seen[i]);
	free(scene->text);
	free(scene);
	return NULL;
}

static const char *hold(Scene *scene, Buffer *text)
{
	free(scene->text);
	scene->text = buffer_take_text(text);
	ck_assert_ptr_nonnull(scene->text);
	return scene->text;
}

static void write_value(Buffer *text, const char *name, const Value *value)
{
	_cleanup_json_ struct json_object *json = value_to_json(value);

	buffer_format(text, "%s%s=", text->size ? " " : "", name);
	json_write(json, text);
}

static char *show_pool(Pool *pool)
{
	_cleanup_buffer_ Buffer text = {};
	const char *last = "";

	for (;;) {
		const char *next = NULL;

		for (uint32_t key = 0; key < pool_n_keys(pool); key++) {
			const char *name = pool_key_name(pool, key);

			if (pool_get(pool, key) && strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0))
				next = name;
		}
		if (!next)
			return buffer_take_text(&text);
		write_value(&text, next, pool_get(pool, pool_find(pool, next)));
		last = next;
	}
}

static void on_call(Scene *scene, const WalkAction *action)
{
	ck_assert_uint_lt(scene->n_calls, SCENE_CALLS_MAX);
	scene->calls[scene->n_calls] = *action;
	scene->seen[scene->n_calls++] = show_pool(walk_pool(scene->walk));
	buffer_format(&scene->trace, "%s%s%s%s", scene->trace.size ? " " : "", action->rectifying ? "-" : "",
		      scene->plan->ops[action->op].hook->name, action->in_doubt ? "?" : "");
	if (action->attempt > 1)
		buffer_format(&scene->trace, "#%u", action->attempt);
}

static const struct {
	const char *word;
	OutcomeKind kind;
	ErrorCode error;
} words[] = {
	{ "ok", OUTCOME_OK, ERROR_NONE },
	{ "fail", OUTCOME_FAILED, ERROR_HOOK_FAILED },
	{ "die", OUTCOME_UNKNOWN, ERROR_HOOK_UNKNOWN },
	{ "late", OUTCOME_UNKNOWN, ERROR_HOOK_TIMEOUT },
	{ "time", OUTCOME_UNKNOWN, ERROR_PROGRAM_TIMEOUT },
	{ "kill", OUTCOME_UNKNOWN, ERROR_CANCELLED },
	{ "cancel", OUTCOME_UNKNOWN, ERROR_CANCELLED },
	{ "cut", OUTCOME_UNKNOWN, ERROR_INTERRUPTED },
};

static size_t word_find(const char *at, size_t size)
{
	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (strlen(words[i].word) == size && strncmp(words[i].word, at, size) == 0)
			return i;
	ck_abort_msg("no such outcome: \"%s\"", at);
}

static void on_stop(Scene *scene, const char *at)
{
	size_t size = strcspn(at, "@ "), whole = strcspn(at, " ");
	_cleanup_free_ char *program = strndup(at + size + 1, whole > size ? whole - size - 1 : 0);

	scene->stopped = walk_stop(scene->walk, words[word_find(at, size)].error, program, NULL);
}

static void on_outcome(Scene *scene, const char *at, const WalkAction *action)
{
	size_t size = strcspn(at, ":/@ "), whole = strcspn(at, " "), n = 0;
	_cleanup_free_ char *rest = strndup(at + size + 1, whole > size ? whole - size - 1 : 0);
	PoolWrite writes[SCENE_CALLS_MAX];
	char message[256];
	size_t word = word_find(at, size);
	Outcome outcome = { .kind = words[word].kind, .error = words[word].error };

	if (at[size] == ':')
		n = take_writes(rest, ',', ", ", walk_pool(scene->walk), &scene->plan->ops[action->op], writes);
	else if (at[size] == '@')
		outcome.program = rest;
	else if (at[size] == '/')
		outcome.reason = rest;
	outcome.writes = writes;
	outcome.n_writes = n;
	walk_judge(scene->walk, &outcome, message, sizeof(message));
	ck_assert_int_eq(walk_ended(scene->walk, &outcome), 0);
	for (size_t i = 0; i < n; i++)
		value_done(&writes[i].value);
}

static const char *word_next(const char *at)
{
	at += strcspn(at, " ");
	return at + strspn(at, " ");
}

void scene_play(Scene *scene, const char *script)
{
	WalkAction action;

	for (;;) {
		for (; *script == '!'; script = word_next(script))
			on_stop(scene, script + 1);
		if (*script == '.')
			return;
		ck_assert_int_eq(walk_next(scene->walk, scene->now_usec, &action), 0);
		if (action.kind == WALK_END)
			break;
		if (action.kind == WALK_WAIT) {
			buffer_format(&scene->waits, "%s%ju", scene->waits.size ? " " : "",
				      (uintmax_t)action.wait_usec);
			continue;
		}
		on_call(scene, &action);
		for (; *script == '+'; script = word_next(script))
			on_stop(scene, script + 1);
		on_outcome(scene, *script ? script : "ok", &action);
		script = word_next(script);
	}
	ck_assert_msg(!*script, "the run ended before \"%s\"", script);
}

const char *scene_trace(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};

	buffer_append(&text, scene->trace.data, scene->trace.size);
	return hold(scene, &text);
}

const char *scene_waits(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};

	buffer_append(&text, scene->waits.data, scene->waits.size);
	return hold(scene, &text);
}

static void write_error(Buffer *text, const WalkError *error)
{
	buffer_text(text, error_name(error->code));
	if (error->step != 0 || error->hook)
		buffer_format(text, " %u:%s", error->step, error->hook ? error->hook : "");
	if (error->program)
		buffer_format(text, " @%s", error->program);
	if (error->path)
		buffer_format(text, " %s", error->path);
	if (error->reason)
		buffer_format(text, " (%s)", error->reason);
}

const char *scene_end(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};
	WalkError error, parked;

	walk_error(scene->walk, &error);
	walk_parked(scene->walk, &parked);
	buffer_text(&text, walk_status_name(walk_status(scene->walk)));
	if (error.code != ERROR_NONE) {
		buffer_text(&text, " ");
		write_error(&text, &error);
	}
	if (parked.code != ERROR_NONE) {
		buffer_text(&text, " | ");
		write_error(&text, &parked);
	}
	return hold(scene, &text);
}

static void write_steps(Buffer *text, const WalkStep *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer_format(text, "%u:%s%s ", steps[i].step, steps[i].hook, steps[i].in_doubt ? "?" : "");
}

const char *scene_lists(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ WalkStep *rectified = NULL, *remaining = NULL;
	size_t n;

	ck_assert_int_eq(walk_rectified(scene->walk, &rectified, &n), 0);
	write_steps(&text, rectified, n);
	buffer_text(&text, "|");
	ck_assert_int_eq(walk_remaining(scene->walk, &remaining, &n), 0);
	for (size_t i = 0; i < n; i++) {
		buffer_text(&text, " ");
		write_steps(&text, &remaining[i], 1);
		text.size--;
	}
	return hold(scene, &text);
}

const char *scene_outputs(Scene *scene)
{
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ WalkOutput *outputs = NULL;
	size_t n;

	ck_assert_int_eq(walk_outputs(scene->walk, &outputs, &n), 0);
	for (size_t i = 0; i < n; i++)
		write_value(&text, outputs[i].arg->name, outputs[i].value);
	return hold(scene, &text);
}

const char *scene_pool(Scene *scene)
{
	free(scene->text);
	scene->text = show_pool(walk_pool(scene->walk));
	return scene->text;
}

void scene_check(const char *spec, const char *script, const char *trace, const char *end)
{
	_cleanup_scene_ Scene *scene = scene_open(spec, "");

	scene_play(scene, script);
	ck_trace(scene, trace);
	ck_end(scene, end);
}
