/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell/result.h"

#include <errno.h>

#include "wire/reply.h"

#define PATH_PREFIX "/data_pool"

/* A run's error in the words of the reply; texts that had to be made are in `path` and `message`. */
typedef struct Shown {
	ReplyError error;
	char *path, *message;
} Shown;

static void shown_done(Shown *shown)
{
	free(shown->path);
	free(shown->message);
}

static const struct {
	ErrorCode code;
	const char *sentence; /* of a hook, or else of the run */
} sentences[] = {
	{ ERROR_HOOK_FAILED, "it failed and gave no reason" },
	{ ERROR_HOOK_UNKNOWN, "it ended without saying whether it took effect" },
	{ ERROR_HOOK_TIMEOUT, "it was not done within its time" },
	{ ERROR_PROGRAM_TIMEOUT, "the program was not done within its time" },
	{ ERROR_RECTIFIER_FAILED, "it has not succeeded within its attempts" },
	{ ERROR_IRREVERSIBLE, "a step that cannot be reversed was done" },
	{ ERROR_CANCELLED, "the run was cancelled" },
	{ ERROR_INTERRUPTED, "the run was interrupted" },
	{ ERROR_MODULE_CHANGED, "the build that the run is pinned to is not to be had" },
	{ ERROR_STORE_MOVED, "the store is not where it was: it may be a copy" },
	{ ERROR_DAMAGED, "what was recorded of the run is damaged" },
};

static const char *sentence_of(ErrorCode code)
{
	for (size_t i = 0; i < ELEMENTSOF(sentences); i++)
		if (sentences[i].code == code)
			return sentences[i].sentence;
	return "the run could not go on";
}

static int show(const WalkError *error, Shown *ret)
{
	_cleanup_buffer_ Buffer path = { 0 };

	*ret = (Shown){ 0 };
	if (error->code == ERROR_NONE)
		return 0;
	if (error->path) {
		buffer_text(&path, PATH_PREFIX);
		buffer_text(&path, error->path);
		ret->path = buffer_take_text(&path);
		if (!ret->path)
			return -ENOMEM;
	}
	ret->error = (ReplyError){
		.name = error_name(error->code),
		.reason = error->reason,
		.path = ret->path,
		.step = error->step,
		.hook = error->hook,
		.program = error->program,
		.message = error->message && *error->message ? error->message : sentence_of(error->code),
		.retry = error_retry(error->code),
	};
	return 0;
}

static int steps_of(int (*get)(const Walk *walk, WalkStep **ret, size_t *ret_n), const Walk *walk, ReplyStep **ret,
		    size_t *ret_n)
{
	_cleanup_free_ WalkStep *steps = NULL;
	ReplyStep *shown;
	size_t n;
	int r;

	r = get(walk, &steps, &n);
	if (r < 0 || n == 0)
		return r;
	shown = calloc(n + 1, sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		shown[i] = (ReplyStep){
			.step = steps[i].step,
			.hook = steps[i].hook,
			.in_doubt = steps[i].in_doubt,
		};
	*ret = shown;
	*ret_n = n;
	return 0;
}

static int outputs_of(Walk *walk, ReplyOutput **ret, size_t *ret_n)
{
	_cleanup_free_ WalkOutput *outputs = NULL;
	ReplyOutput *shown;
	size_t n;
	int r;

	r = walk_outputs(walk, &outputs, &n);
	if (r < 0)
		return r;
	shown = zalloc((n + 1) * sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		shown[i] = (ReplyOutput){ .name = outputs[i].arg->name, .value = outputs[i].value };
	*ret = shown;
	*ret_n = n;
	return 0;
}

static bool is_left(const Walk *walk, const Plan *plan, uint32_t step)
{
	const PlanStep *planned = &plan->steps[step - 1];
	WalkStand stand = walk_stand(walk, step);

	return (stand == WALK_STAND_DONE || stand == WALK_STAND_DOUBT || stand == WALK_STAND_SKIPPED) &&
	       (planned->n_rectifiers > 0 || planned->irreversible);
}

/* What a run that went forwards has done remains, too, where it does not end with that. */
static int all_done(const Walk *walk, const Plan *plan, ReplyStep **ret, size_t *ret_n)
{
	ReplyStep *steps = calloc(plan->n_steps + 1, sizeof(*steps));
	size_t n = 0;

	if (!steps)
		return -ENOMEM;
	for (uint32_t step = plan->n_steps; step > 0; step--)
		if (is_left(walk, plan, step))
			steps[n++] = (ReplyStep){
				.step = step,
				.hook = plan->ops[plan->steps[step - 1].op].hook->name,
				.in_doubt = walk_stand(walk, step) == WALK_STAND_DOUBT,
			};
	*ret = steps;
	*ret_n = n;
	return 0;
}

static int write_result(Walk *walk, const Plan *plan, WalkStatus status, const WalkError *parked, Buffer *buffer,
			WalkError *ret_error)
{
	_cleanup_free_ ReplyStep *rectified = NULL, *remaining = NULL;
	_cleanup_free_ ReplyOutput *outputs = NULL;
	_cleanup_(shown_done) Shown shown_error = { 0 };
	_cleanup_(shown_done) Shown shown_parked = { 0 };
	Reply reply = { .program = plan->program->name, .status = walk_status_name(status) };
	bool forward = status == WALK_PARKED && walk_status(walk) != WALK_PARKED && !walk_rectifying(walk);
	WalkError error;
	int r;

	walk_error(walk, &error);
	r = outputs_of(walk, &outputs, &reply.n_outputs);
	if (r >= 0)
		r = steps_of(walk_rectified, walk, &rectified, &reply.n_rectified);
	if (r >= 0)
		r = forward ? all_done(walk, plan, &remaining, &reply.n_remaining)
			    : steps_of(walk_remaining, walk, &remaining, &reply.n_remaining);
	if (r >= 0)
		r = show(&error, &shown_error);
	if (r >= 0)
		r = show(parked, &shown_parked);
	if (r < 0)
		return r;
	reply.outputs = outputs;
	reply.rectified = rectified;
	reply.remaining = remaining;
	reply.error = shown_error.error;
	reply.parked = shown_parked.error;
	reply_write_body(&reply, buffer);
	if (buffer_error(buffer) < 0)
		return -ENOMEM;
	*ret_error = error;
	return 0;
}

int result_write(Walk *walk, const Plan *plan, Buffer *buffer, WalkError *ret_error)
{
	WalkError parked;

	walk_parked(walk, &parked);
	return write_result(walk, plan, walk_status(walk), &parked, buffer, ret_error);
}

int result_write_aside(Walk *walk, const Plan *plan, const WalkError *parked, Buffer *buffer, WalkError *ret_error)
{
	return write_result(walk, plan, WALK_PARKED, parked, buffer, ret_error);
}
