/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/reply.h"

#include <string.h>

#include "base/json.h"

#define write_literal(buffer, literal) buffer_append(buffer, literal, sizeof(literal) - 1)

static void write_string(const char *text, Buffer *buffer)
{
	if (text)
		json_write_string(text, strlen(text), buffer);
	else
		write_literal(buffer, "null");
}

/* `,"name":` with the comma that is due behind what is there. */
static void write_name(const char *name, Buffer *buffer)
{
	char last = buffer->size > 0 ? (char)buffer->data[buffer->size - 1] : '{';

	if (last != '{' && last != ',')
		buffer_u8(buffer, ',');
	buffer_u8(buffer, '"');
	buffer_text(buffer, name);
	write_literal(buffer, "\":");
}

static void write_text(const char *name, const char *text, Buffer *buffer)
{
	if (!text)
		return;
	write_name(name, buffer);
	json_write_string(text, strlen(text), buffer);
}

static void write_number(const char *name, uint64_t number, Buffer *buffer)
{
	write_name(name, buffer);
	json_write_int((int64_t)MIN(number, (uint64_t)INT64_MAX), buffer);
}

static void write_bool(const char *name, bool value, Buffer *buffer)
{
	write_name(name, buffer);
	buffer_text(buffer, value ? "true" : "false");
}

/* The members that `error` and `parked` have in common, without the closing brace. */
static void write_cause(const ReplyError *error, Buffer *buffer)
{
	buffer_u8(buffer, '{');
	write_text("name", error->name, buffer);
	write_text("reason", error->reason, buffer);
	write_text("path", error->path, buffer);
	if (error->step > 0)
		write_number("step", error->step, buffer);
	if (error->program && !error->hook)
		write_literal(buffer, ",\"hook\":null");
	else
		write_text("hook", error->hook, buffer);
	write_text("program", error->program, buffer);
	write_name("message", buffer);
	write_string(error->message ? error->message : error->name, buffer);
}

static void write_error(const ReplyError *error, Buffer *buffer)
{
	write_cause(error, buffer);
	write_bool("retry", error->retry, buffer);
	buffer_u8(buffer, '}');
}

static void write_domain_error(const Error *error, Buffer *buffer)
{
	write_error(&(ReplyError){ .name = error_name(error->code),
				   .path = error->path,
				   .message = error->message,
				   .retry = error_retry(error->code) },
		    buffer);
}

static void write_steps(const char *name, const ReplyStep *steps, size_t n, Buffer *buffer)
{
	write_name(name, buffer);
	buffer_u8(buffer, '[');
	for (size_t i = 0; i < n; i++) {
		buffer_text(buffer, i > 0 ? ",{" : "{");
		write_number("step", steps[i].step, buffer);
		write_text("hook", steps[i].hook, buffer);
		if (steps[i].in_doubt)
			write_bool("in_doubt", true, buffer);
		buffer_u8(buffer, '}');
	}
	buffer_u8(buffer, ']');
}

static void write_outputs(const Reply *reply, Buffer *buffer)
{
	write_literal(buffer, ",\"data_pool\":{");
	for (size_t i = 0; i < reply->n_outputs; i++) {
		if (i > 0)
			buffer_u8(buffer, ',');
		write_string(reply->outputs[i].name, buffer);
		buffer_u8(buffer, ':');
		value_write(reply->outputs[i].value, buffer);
	}
	buffer_u8(buffer, '}');
}

static bool has_reversal(const char *status)
{
	return strcmp(status, "rectified") == 0 || strcmp(status, "parked") == 0 || strcmp(status, "settled") == 0;
}

void reply_write_body(const Reply *reply, Buffer *buffer)
{
	write_literal(buffer, "\"program\":");
	write_string(reply->program, buffer);
	write_bool("success", strcmp(reply->status, "succeeded") == 0, buffer);
	write_text("status", reply->status, buffer);
	write_outputs(reply, buffer);
	write_literal(buffer, ",\"error\":");
	if (reply->error.name)
		write_error(&reply->error, buffer);
	else
		write_literal(buffer, "null");
	if (has_reversal(reply->status)) {
		write_steps("rectified", reply->rectified, reply->n_rectified, buffer);
		write_steps("remaining", reply->remaining, reply->n_remaining, buffer);
	}
	if (reply->parked.name) {
		write_name("parked", buffer);
		write_cause(&reply->parked, buffer);
		buffer_u8(buffer, '}');
	}
	buffer_u8(buffer, '}');
}

static void write_id(const char *id_text, Buffer *buffer)
{
	buffer_u8(buffer, '{');
	if (!id_text)
		return;
	write_literal(buffer, "\"id\":");
	buffer_text(buffer, id_text);
	buffer_u8(buffer, ',');
}

void reply_write_head(const char *id_text, const char *run, Buffer *buffer)
{
	write_id(id_text, buffer);
	write_literal(buffer, "\"run\":");
	write_string(run, buffer);
	buffer_u8(buffer, ',');
}

void reply_write_refusal(const char *id_text, const char *program, const Error *error, Buffer *buffer)
{
	reply_write_head(id_text, NULL, buffer);
	write_literal(buffer, "\"program\":");
	write_string(program, buffer);
	write_literal(buffer, ",\"success\":false,\"status\":\"refused\",\"data_pool\":{},\"error\":");
	write_domain_error(error, buffer);
	write_literal(buffer, "}\n");
}

void reply_write_result(const char *id_text, struct json_object *result, Buffer *buffer)
{
	write_id(id_text, buffer);
	write_literal(buffer, "\"result\":");
	json_write(result, buffer);
	write_literal(buffer, "}\n");
}

void reply_write_call_error(const char *id_text, const Error *error, Buffer *buffer)
{
	write_id(id_text, buffer);
	write_literal(buffer, "\"error\":");
	write_domain_error(error, buffer);
	write_literal(buffer, "}\n");
}

/* Numbers begin at 1; 0: there is none. */
static void write_count(const char *name, uint64_t number, Buffer *buffer)
{
	if (number > 0)
		write_number(name, number, buffer);
}

void reply_write_event(const char *id_text, const ReplyEvent *event, Buffer *buffer)
{
	write_id(id_text, buffer);
	write_literal(buffer, "\"event\":");
	write_string(event->event, buffer);
	write_text("run", event->run, buffer);
	write_text("program", event->program, buffer);
	write_text("state", event->state, buffer);
	write_count("step", event->step, buffer);
	write_count("steps", event->steps, buffer);
	write_text("hook", event->hook, buffer);
	write_count("attempt", event->attempt, buffer);
	write_text("outcome", event->outcome, buffer);
	if (event->outcome || event->attempt > 0)
		write_number("usec", event->usec, buffer);
	write_count("run_usec", event->run_usec, buffer);
	write_count("dropped", event->dropped, buffer);
	write_text("reason", event->reason, buffer);
	write_text("message", event->message, buffer);
	write_literal(buffer, "}\n");
}
