/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rare entries: what an operator must know, and what operators decide. Each says what to do, or what happens next. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/stored_reply.h"
#include "daemon/trace_ids.h"
#include "daemon/trace_private.h"

#define REMAINING_SHOWN 8U /* steps; of the others only how many */

/* "; not undone: step 2 fee (in doubt), step 1 debit" */
static void write_remaining(struct json_object *tree, Buffer *text)
{
	struct json_object *remaining = stored_member(tree, "remaining");
	size_t n;

	if (!json_object_is_type(remaining, json_type_array))
		return;
	n = json_object_array_length(remaining);
	for (size_t i = 0; i < MIN(n, REMAINING_SHOWN); i++) {
		struct json_object *step = json_object_array_get_idx(remaining, i);
		const char *hook = stored_text(step, "hook");

		buffer_format(text, "%sstep %" PRId64 "%s%s", i == 0 ? "; not undone: " : ", ",
			      stored_number(step, "step"), hook ? " " : "", hook ? hook : "");
		if (json_object_get_boolean(stored_member(step, "in_doubt")))
			buffer_text(text, " (in doubt)");
	}
	if (n > REMAINING_SHOWN)
		buffer_format(text, " and %zu more", n - REMAINING_SHOWN);
}

/* "transfer: parked at step 1 (debit) with RectifierFailed: the bank is closed; not undone: …" */
static void write_parked(struct json_object *tree, const Run *run, Buffer *text)
{
	struct json_object *parked = stored_member(tree, "parked");
	const char *name, *hook, *message;
	int64_t step;

	name = stored_text(parked, "name");
	hook = stored_text(parked, "hook");
	message = stored_text(parked, "message");
	step = stored_number(parked, "step");
	buffer_format(text, "%s: parked", run->program->spec->name);
	if (step > 0)
		buffer_format(text, " at step %" PRId64 "%s%s%s", step, hook ? " (" : "", hook ? hook : "",
			      hook ? ")" : "");
	if (name)
		buffer_format(text, " with %s", name);
	if (message) {
		buffer_text(text, ": ");
		text_escape(message, strlen(message), LOG_FIELD_MAX, text);
	}
	write_remaining(tree, text);
}

const char *trace_command(const Trace *trace, const char *verb, char text[static TRACE_COMMAND_MAX])
{
	bool plain = strcmp(trace->instance, "ryuso") == 0;

	snprintf(text, TRACE_COMMAND_MAX, "ryusoctl%s%s%s %s", trace->user ? " --user" : "", plain ? "" : " -I ",
		 plain ? "" : trace->instance, verb);
	return text;
}

void trace_parked(const Trace *trace, const Run *run, const char *reply, size_t reply_size, TraceFields *fields)
{
	_cleanup_json_ struct json_object *tree = stored_reply_read(reply, reply_size);
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *line = NULL;
	struct json_object *parked = stored_member(tree, "parked");
	char command[TRACE_COMMAND_MAX];

	write_parked(tree, run, &text);
	line = buffer_take_text(&text);
	trace_field(fields, "RYUSO_PARKED_ERROR", stored_text(parked, "name"));
	trace_field(fields, "RYUSO_PARKED_HOOK", stored_text(parked, "hook"));
	if (stored_number(parked, "step") > 0)
		trace_field_number(fields, "RYUSO_PARKED_STEP", (uint64_t)stored_number(parked, "step"));
	log_entry(LOG_CRIT, TRACE_ID_RUN_PARKED, fields->items, fields->n,
		  "%s. It stays so until an operator decides: %s %s", line ? line : "a run is parked",
		  trace_command(trace, "show", command), run->id_text);
}

void trace_taken_up(const Trace *trace, const Run *run, const char *why)
{
	TraceFields fields;

	trace_fields_begin(&fields, trace, run);
	log_entry(LOG_WARNING, TRACE_ID_RUN_TAKEN_UP, fields.items, fields.n, "%s: taken up after an interruption%s%s",
		  run->program->spec->name, why && *why ? ": " : "", why ? why : "");
}

static void write_flags(uint32_t flags, Buffer *text)
{
	if (flags & LEDGER_DECISION_UNDONE_BY_HAND)
		buffer_text(text, ", undone by hand");
	if (flags & LEDGER_DECISION_CURRENT_MODULE)
		buffer_text(text, ", with the module in use now");
}

void trace_decided(const Trace *trace, const char *program, const LedgerDecision *decision)
{
	_cleanup_buffer_ Buffer text = { 0 }, reason = { 0 };
	_cleanup_free_ char *flags = NULL, *why = NULL;
	char run[ID_TEXT_SIZE];
	TraceFields fields;

	id_format(&decision->run, run);
	write_flags(decision->flags, &text);
	flags = buffer_take_text(&text);
	if (decision->reason)
		text_escape(decision->reason, strlen(decision->reason), LOG_FIELD_MAX, &reason);
	why = decision->reason ? buffer_take_text(&reason) : NULL;
	trace_fields_begin(&fields, trace, NULL);
	trace_field(&fields, "RYUSO_RUN", run);
	trace_field(&fields, "RYUSO_PROGRAM", program);
	trace_field(&fields, "RYUSO_VERB", ledger_verb_name(decision->verb));
	trace_field_number(&fields, "RYUSO_STEP", decision->step);
	trace_field_number(&fields, "RYUSO_OPERATOR_UID", decision->uid);
	trace_field(&fields, "RYUSO_REASON", why);
	log_entry(LOG_NOTICE, TRACE_ID_DECISION, fields.items, fields.n,
		  "%s: %s at step %" PRIu32 " by user %" PRIu32 "%s%s%s", program ? program : "a parked run",
		  ledger_verb_name(decision->verb), decision->step, decision->uid, flags ? flags : "", why ? ": " : "",
		  why ? why : "");
}

void trace_left(const Trace *trace, const char *program, const Id *run)
{
	char text[ID_TEXT_SIZE];
	TraceFields fields;

	id_format(run, text);
	trace_fields_begin(&fields, trace, NULL);
	trace_field(&fields, "RYUSO_RUN", text);
	trace_field(&fields, "RYUSO_PROGRAM", program);
	trace_field(&fields, "RYUSO_OUTCOME", walk_status_name(WALK_SETTLED));
	log_entry(LOG_WARNING, TRACE_ID_RUN_ENDED, fields.items, fields.n,
		  "%s: settled: what is recorded of it does not hold, and an operator leaves it as it is",
		  program ? program : "a parked run");
}

void trace_held(const Trace *trace, const LedgerHold *hold)
{
	_cleanup_buffer_ Buffer reason = { 0 };
	_cleanup_free_ char *why = NULL;
	char command[TRACE_COMMAND_MAX];
	TraceFields fields;

	if (hold->reason)
		text_escape(hold->reason, strlen(hold->reason), LOG_FIELD_MAX, &reason);
	why = hold->reason ? buffer_take_text(&reason) : NULL;
	trace_fields_begin(&fields, trace, NULL);
	trace_field(&fields, "RYUSO_VERB", hold->held ? "hold" : "resume");
	trace_field_number(&fields, "RYUSO_OPERATOR_UID", hold->uid);
	trace_field(&fields, "RYUSO_REASON", why);
	if (hold->held)
		log_entry(LOG_WARNING, TRACE_ID_HOLD, fields.items, fields.n,
			  "user %" PRIu32 " holds the queue: no run begins until somebody lets it go on (%s)%s%s",
			  hold->uid, trace_command(trace, "resume", command), why ? ": " : "", why ? why : "");
	else
		log_entry(LOG_NOTICE, TRACE_ID_HOLD, fields.items, fields.n,
			  "user %" PRIu32 " lets the queue go on: runs begin again%s%s", hold->uid, why ? ": " : "",
			  why ? why : "");
}

void trace_store(const Trace *trace, const char *sentence)
{
	TraceFields fields;

	trace_fields_begin(&fields, trace, NULL);
	log_entry(LOG_CRIT, TRACE_ID_STORE, fields.items, fields.n, "%s", sentence);
}

void trace_moved(const Trace *trace, const char *path, uint64_t n_parked)
{
	char command[TRACE_COMMAND_MAX];
	TraceFields fields;

	trace_fields_begin(&fields, trace, NULL);
	log_entry(
		LOG_WARNING, TRACE_ID_MOVED, fields.items, fields.n,
		"%s is not where it was: it was moved, or is a copy or a restored backup; what was unfinished in it is "
		"parked with StoreMoved, and %" PRIu64 " parked before stay so: before deciding about one (%s), make "
		"sure that nobody has done so where it came from",
		path, n_parked, trace_command(trace, "parked", command));
}
