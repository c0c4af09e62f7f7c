/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "wire/reply.h"
#include "worker/perform.h"

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
	if (r < 0)
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
	shown = calloc(n + 1, sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		shown[i] = (ReplyOutput){ .name = outputs[i].arg->name, .value = outputs[i].value };
	*ret = shown;
	*ret_n = n;
	return 0;
}

static int write_reply(Run *run, const WalkError *error, Buffer *buffer)
{
	_cleanup_free_ ReplyStep *rectified = NULL, *remaining = NULL;
	_cleanup_free_ ReplyOutput *outputs = NULL;
	_cleanup_(shown_done) Shown shown_error = { 0 };
	_cleanup_(shown_done) Shown shown_parked = { 0 };
	WalkError parked;
	Reply reply = {
		.program = run->plan->program->name,
		.status = walk_status_name(walk_status(run->walk)),
	};
	int r;

	walk_parked(run->walk, &parked);
	r = outputs_of(run->walk, &outputs, &reply.n_outputs);
	if (r >= 0)
		r = steps_of(walk_rectified, run->walk, &rectified, &reply.n_rectified);
	if (r >= 0)
		r = steps_of(walk_remaining, run->walk, &remaining, &reply.n_remaining);
	if (r >= 0)
		r = show(error, &shown_error);
	if (r >= 0)
		r = show(&parked, &shown_parked);
	if (r < 0)
		return r;
	reply.outputs = outputs;
	reply.rectified = rectified;
	reply.remaining = remaining;
	reply.error = shown_error.error;
	reply.parked = shown_parked.error;
	reply_write_body(&reply, buffer);
	return buffer_error(buffer);
}

int run_finish(Run *run)
{
	Worker *worker = run->worker;
	RecordFinish finish = {
		.run = run->id,
		.status = walk_status(run->walk),
		.usec = run->now_usec,
	};
	WalkError error;
	int r;

	walk_error(run->walk, &error);
	finish.error = error.code;
	finish.error_step = error.step;
	buffer_clear(&worker->reply);
	r = write_reply(run, &error, &worker->reply);
	if (r < 0)
		return r;
	finish.reply = (const char *)worker->reply.data;
	finish.reply_size = worker->reply.size;
	buffer_clear(&worker->content);
	record_encode_finish(&finish, &worker->content);
	return worker_record(worker, RECORD_FINISH);
}
