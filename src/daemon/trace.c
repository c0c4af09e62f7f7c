/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/follow.h"
#include "daemon/trace_ids.h"
#include "daemon/trace_private.h"

void trace_field(TraceFields *fields, const char *name, const char *value)
{
	if (value && fields->n < TRACE_FIELDS_MAX)
		fields->items[fields->n++] = (LogField){ name, value };
}

void trace_field_number(TraceFields *fields, const char *name, uint64_t value)
{
	char *text;

	if (fields->n >= TRACE_FIELDS_MAX)
		return;
	text = fields->numbers[fields->n];
	snprintf(text, sizeof(fields->numbers[0]), "%" PRIu64, value);
	trace_field(fields, name, text);
}

void trace_fields_begin(TraceFields *fields, const Trace *trace, const Run *run)
{
	fields->n = 0;
	trace_field(fields, "RYUSO_INSTANCE", trace->instance);
	if (!run)
		return;
	trace_field(fields, "RYUSO_RUN", run->id_text);
	trace_field(fields, "RYUSO_PROGRAM", run->program->spec->name);
	trace_field_number(fields, "RYUSO_PEER_UID", run->peer.uid);
	trace_field_number(fields, "RYUSO_PEER_PID", (uint64_t)run->peer.pid);
}

static const char *text_or(const char *text, const char *other)
{
	return text ? text : other;
}

/* Text of an author's, readable in one line; NULL where there is none. */
static char *copy_text(const char *text, size_t size)
{
	_cleanup_buffer_ Buffer copy = { 0 };

	if (!text || size == 0)
		return NULL;
	text_escape(text, size, LOG_FIELD_MAX, &copy);
	return buffer_take_text(&copy);
}

void trace_begun(const Trace *trace, Run *run)
{
	_cleanup_buffer_ Buffer metadata = { 0 };
	_cleanup_free_ char *text = NULL;
	TraceFields fields;

	if (run_followed(run))
		follow_begun(run);
	if (trace->level > TRACE_RUNS)
		return;
	trace_fields_begin(&fields, trace, run);
	if (run->metadata) {
		json_write(run->metadata, &metadata);
		text = copy_text((const char *)metadata.data, metadata.size);
		trace_field(&fields, "RYUSO_METADATA", text);
	}
	log_entry(LOG_INFO, run->taken_up ? TRACE_ID_RUN_TAKEN_UP : TRACE_ID_RUN_BEGUN, fields.items, fields.n,
		  "%s: %s", run->program->spec->name,
		  run->taken_up ? "taken up again: an operator has decided" : "begun");
}

static int call_priority(const RecordEnd *end)
{
	if (end->outcome != OUTCOME_OK)
		return LOG_ERR;
	return end->rectifying ? LOG_WARNING : LOG_INFO;
}

static uint64_t since(uint64_t end_usec, uint64_t begin_usec)
{
	return end_usec > begin_usec ? end_usec - begin_usec : 0;
}

static void log_call(const Trace *trace, const Run *run, const RecordEnd *end, uint64_t usec, const char *reason,
		     const char *message)
{
	const char *phase = end->rectifying ? "rectifier" : "hook";
	const char *hook = text_or(run_hook_name(run, end->op), "?");
	TraceFields fields;

	trace_fields_begin(&fields, trace, run);
	trace_field(&fields, "RYUSO_HOOK", hook);
	trace_field_number(&fields, "RYUSO_STEP", end->step);
	trace_field(&fields, "RYUSO_PHASE", phase);
	trace_field_number(&fields, "RYUSO_ATTEMPT", end->attempt);
	trace_field(&fields, "RYUSO_OUTCOME", outcome_name(end->outcome));
	trace_field_number(&fields, "RYUSO_USEC", usec);
	trace_field(&fields, "RYUSO_REASON", reason);
	if (end->error != ERROR_NONE)
		trace_field(&fields, "RYUSO_ERROR", error_name(end->error));
	log_entry(call_priority(end), end->rectifying ? TRACE_ID_RECTIFIER : TRACE_ID_HOOK, fields.items, fields.n,
		  "%s: step %" PRIu32 " of %" PRIu32 ", %s %s: %s%s%s%s%s", run->program->spec->name, end->step,
		  run->program->plan->n_steps, phase, hook, outcome_name(end->outcome), reason ? ": " : "",
		  text_or(reason, ""), message ? ": " : "", text_or(message, ""));
}

void trace_call(const Trace *trace, Run *run, const RecordEnd *end)
{
	bool logged = trace->level == TRACE_HOOKS || call_priority(end) <= LOG_WARNING;
	_cleanup_free_ char *reason = NULL, *message = NULL;
	uint64_t usec;

	if (!logged && !run_followed(run))
		return;
	usec = since(end->usec, run->call.since_usec);
	reason = copy_text(end->reason, end->reason_size);
	message = copy_text(end->message, end->message_size);
	if (run_followed(run))
		follow_ended(run, end, usec, reason, message);
	if (logged)
		log_call(trace, run, end, usec, reason, message);
}

static const int ending_priorities[WALK_STATUS_MAX] = {
	[WALK_RUNNING] = LOG_ERR, [WALK_SUCCEEDED] = LOG_INFO,  [WALK_RECTIFIED] = LOG_ERR,
	[WALK_PARKED] = LOG_CRIT, [WALK_SETTLED] = LOG_WARNING,
};

static void log_ending(const Run *run, const RecordFinish *finish, int priority, const TraceFields *fields)
{
	const char *program = run->program->spec->name, *status = walk_status_name(finish->status);

	if (finish->error == ERROR_NONE)
		log_entry(priority, TRACE_ID_RUN_ENDED, fields->items, fields->n, "%s: %s", program, status);
	else if (finish->error_step == 0)
		log_entry(priority, TRACE_ID_RUN_ENDED, fields->items, fields->n, "%s: %s after %s", program, status,
			  error_name(finish->error));
	else
		log_entry(priority, TRACE_ID_RUN_ENDED, fields->items, fields->n, "%s: %s after %s at step %" PRIu32,
			  program, status, error_name(finish->error), finish->error_step);
}

void trace_ended(const Trace *trace, Run *run, const RecordFinish *finish)
{
	int priority = ending_priorities[finish->status];
	TraceFields fields;

	if (trace->level == TRACE_FAILURES && priority > LOG_WARNING)
		return;
	trace_fields_begin(&fields, trace, run);
	trace_field(&fields, "RYUSO_OUTCOME", walk_status_name(finish->status));
	trace_field_number(&fields, "RYUSO_USEC", since(finish->usec, run->begun_usec));
	trace_field(&fields, "RYUSO_ERROR", error_name(finish->error));
	if (finish->error_step > 0)
		trace_field_number(&fields, "RYUSO_STEP", finish->error_step);
	if (finish->status == WALK_PARKED && finish->reply_size > 0)
		trace_parked(trace, run, finish->reply, finish->reply_size, &fields);
	else if (finish->status == WALK_PARKED)
		trace_parked(trace, run, (const char *)run->reply.data, run->reply.size, &fields);
	else
		log_ending(run, finish, priority, &fields);
}

void trace_output(const Trace *trace, const Run *run, pid_t worker, int priority, const char *text, size_t size)
{
	_cleanup_free_ char *line = copy_text(text, size);
	const char *hook;
	TraceFields fields;

	if (!line)
		return;
	trace_fields_begin(&fields, trace, run);
	trace_field_number(&fields, "RYUSO_WORKER_PID", (uint64_t)worker);
	hook = run && run->call.in_hand ? run_hook_name(run, run->call.op) : NULL;
	if (hook) {
		trace_field(&fields, "RYUSO_HOOK", hook);
		trace_field_number(&fields, "RYUSO_STEP", run->call.step);
		trace_field(&fields, "RYUSO_PHASE", run->call.rectifying ? "rectifier" : "hook");
	}
	if (run)
		log_entry(priority, TRACE_ID_OUTPUT, fields.items, fields.n, "%s: %s%s%s", run->program->spec->name,
			  text_or(hook, ""), hook ? ": " : "", line);
	else
		log_entry(priority, TRACE_ID_OUTPUT, fields.items, fields.n, "worker %d: %s", (int)worker, line);
}
