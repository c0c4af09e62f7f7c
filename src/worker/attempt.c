/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/point.h"
#include "worker/descendants.h"
#include "worker/threads.h"
#include "worker/timers.h"
#include "worker/touch.h"

static void attempt_init(Attempt *attempt, Run *run, const WalkAction *action)
{
	attempt->run = run;
	attempt->op = &run->replay.plan->ops[action->op];
	attempt->action = action;
	attempt->writes = attempt->few;
	attempt->n_writes = attempt->size = 0;
	attempt->capacity = ATTEMPT_FEW;
	attempt->touched = false;
}

static void attempt_done(Attempt *attempt)
{
	if (attempt->writes != attempt->few) {
		pool_writes_free(attempt->writes, attempt->n_writes);
		return;
	}
	for (size_t i = 0; i < attempt->n_writes; i++)
		value_done(&attempt->few[i].value);
}

/* There is one writer: no need to lock the bus. */
static void page_turn(RecordPage *page)
{
	uint32_t turn = atomic_load_explicit(&page->turn, memory_order_relaxed);

	atomic_store_explicit(&page->turn, turn + 1, memory_order_release);
	atomic_thread_fence(memory_order_release);
}

/* The page's fields change only while turn is even. */
static void page_begin(RecordPage *page, const Run *run, const WalkAction *action)
{
	const SpecProgram *program = action->deadline_program;

	memcpy(page->run, run->id.bytes, sizeof(page->run));
	page->op = action->op;
	page->step = action->step;
	page->attempt = action->attempt;
	page->rectifying = action->rectifying;
	page->since_usec = run->replay.now_usec;
	page->deadline_is_program = program != NULL;
	if (program)
		snprintf(page->deadline_program, sizeof(page->deadline_program), "%s", program->name);
	atomic_store_explicit(&page->deadline_usec, action->deadline_usec, memory_order_relaxed);
	page_turn(page);
}

static void page_end(RecordPage *page)
{
	page_turn(page);
	atomic_store_explicit(&page->deadline_usec, 0, memory_order_relaxed);
}

static int record_begin(Run *run, const WalkAction *action)
{
	RecordBegin begin = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.in_doubt = action->in_doubt,
		.usec = run->replay.now_usec,
	};
	int r;

	buffer_clear(&run->worker->content);
	record_encode_begin(&begin, &run->worker->content);
	r = run_record(run, RECORD_BEGIN);
	if (r < 0 || !run->durable || !record_begin_synced(run->replay.plan, action))
		return r;
	r = run_sync(run);
	/* On the way back what there is of room has to do. */
	return r == -ENOSPC && action->rectifying ? 0 : r;
}

/* Another call's token is another one: operations of a run have numbers of their own. */
static void token_format(const Run *run, uint32_t op, char text[static ID_TEXT_SIZE])
{
	id_format_derived(&run->id, run->handle.id, op, text);
}

static void handle_fill(Run *run, Attempt *attempt)
{
	const WalkAction *action = attempt->action;
	ryuso_run *handle = &run->handle;

	handle->host = attempt;
	handle->hook_name = attempt->op->hook->name;
	handle->step = action->step;
	handle->attempt = action->attempt;
	handle->rectifying = action->rectifying;
	handle->in_doubt = action->in_doubt;
	handle->reason[0] = '\0';
	handle->message[0] = '\0';
	handle->undone_token[0] = '\0';
	token_format(run, action->op, handle->token);
	if (action->rectifying)
		token_format(run, run->replay.plan->steps[action->step - 1].op, handle->undone_token);
}

static int call(Run *run, Attempt *attempt, int *ret_status)
{
	const struct ryuso_module_function *function = module_function(run->worker->module, attempt->op);
	int status, r;

	handle_fill(run, attempt);
	r = ryuso_host_enter(&run->handle);
	if (r < 0)
		return r;
	POINT("before-call");
	touch_watch();
	status = (int)function->call(&run->handle);
	attempt->touched = touch_made() || __fpending(stdout) > 0;
	/* A forked copy that has come back: there is nothing here for it to do. */
	if (!ryuso_host_is_original())
		_exit(EXIT_SUCCESS);
	POINT("after-call");
	ryuso_host_enter(NULL);
	*ret_status = status;
	return 0;
}

static const char *text_or_null(const char *text)
{
	return *text ? text : NULL;
}

/* \p text is for a message of ours. */
static void claimed(const Run *run, const Attempt *attempt, int status, char *text, size_t text_size, Outcome *ret)
{
	const char *reason = text_or_null(run->handle.reason), *message = text_or_null(run->handle.message);

	switch (status) {
	case RYUSO_OK:
		*ret = (Outcome){ .writes = attempt->writes, .n_writes = attempt->n_writes };
		break;
	case RYUSO_FAILED:
		*ret = (Outcome){
			.kind = OUTCOME_FAILED,
			.error = ERROR_HOOK_FAILED,
			.reason = reason,
			.message = message,
		};
		break;
	case RYUSO_UNKNOWN:
		*ret = (Outcome){
			.kind = OUTCOME_UNKNOWN,
			.error = ERROR_HOOK_UNKNOWN,
			.reason = reason,
			.message = message,
		};
		break;
	default:
		snprintf(text, text_size, "it returned %d, expected RYUSO_OK or what ryuso_fail() returns", status);
		*ret = (Outcome){ .kind = OUTCOME_UNKNOWN, .error = ERROR_HOOK_UNKNOWN, .message = text };
	}
}

/* What a hook may have left: processes first, for they may still print. */
static void clear_up(Run *run, Outcome *outcome, bool *ret_leave)
{
	const Worker *worker = run->worker;

	if (descendants_left()) {
		*ret_leave = descendants_end() < 0;
		output_log(LOG_WARNING, "the hook left processes behind; they were killed");
	}
	if (threads_begun()) {
		*ret_leave = true;
		output_log(LOG_WARNING, "the hook began a thread; the run goes on in another process");
	}
	if (timers_left()) {
		*ret_leave = true;
		output_log(LOG_WARNING, "the hook left a timer; the run goes on in another process");
	}
	if (output_settle(&worker->output, &worker->channel) < 0)
		*outcome = (Outcome){
			.kind = OUTCOME_UNKNOWN,
			.error = ERROR_HOOK_UNKNOWN,
			.message = "it closed or replaced descriptors of the worker",
		};
}

/* All fields have their value: nothing is to be cleared before. */
static int record_end(Run *run, const WalkAction *action, const Outcome *outcome)
{
	Buffer *writes = &run->worker->writes;
	RecordEnd end;

	buffer_clear(writes);
	pool_encode_writes(walk_pool(run->replay.walk), outcome->writes, outcome->n_writes, writes);
	if (buffer_error(writes) < 0)
		return -ENOMEM;
	end = (RecordEnd){
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.outcome = outcome->kind,
		.error = outcome->error,
		.usec = run->replay.now_usec,
		.reason = outcome->reason,
		.message = outcome->message,
		.program = NULL,
		.reason_size = outcome->reason ? strlen(outcome->reason) : 0,
		.message_size = outcome->message ? strlen(outcome->message) : 0,
		.program_size = 0,
		.writes = writes->data,
		.writes_size = writes->size,
	};
	if (action->rectifying)
		run->replay.rectified += writes->size;
	return run_record_end(run, &end);
}

static int attempt_end(Run *run, const WalkAction *action, const Outcome *outcome)
{
	int r;

	run->replay.now_usec = clock_monotonic();
	r = record_end(run, action, outcome);
	return r < 0 ? r : walk_ended(run->replay.walk, outcome);
}

int attempt_make(Run *run, const WalkAction *action)
{
	_cleanup_(attempt_done) Attempt attempt;
	char message[RYUSO_MESSAGE_SIZE];
	bool leave = false;
	Outcome outcome;
	int status, r;

	attempt_init(&attempt, run, action);
	page_begin(record_page(&run->worker->recorder), run, action);
	r = record_begin(run, action);
	if (r < 0)
		return r;
	r = call(run, &attempt, &status);
	if (r < 0)
		return r;
	claimed(run, &attempt, status, message, sizeof(message), &outcome);
	walk_judge(run->replay.walk, &outcome, message, sizeof(message));
	if (attempt.touched)
		clear_up(run, &outcome, &leave);
	leave = leave || outcome.kind == OUTCOME_UNKNOWN;
	r = attempt_end(run, action, &outcome);
	if (r < 0)
		return r;
	page_end(record_page(&run->worker->recorder));
	return leave ? PERFORM_LEAVE : 0;
}
