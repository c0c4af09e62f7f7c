/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/frame.h"

#include <errno.h>
#include <string.h>

#define FRAME_KEEP_MAX 16384 /* bytes of memory that a connection at rest may keep */

void frame_init(Frame *frame, size_t size_max, uint32_t depth_max)
{
	*frame = (Frame){ .size_max = size_max, .depth_max = depth_max };
}

void frame_limit(Frame *frame, size_t size_max, uint32_t depth_max)
{
	frame->size_max = size_max;
	frame->depth_max = depth_max;
}

void frame_done(Frame *frame)
{
	buffer_done(&frame->buffer);
	*frame = (Frame){ 0 };
}

size_t frame_held(const Frame *frame)
{
	return frame->buffer.size - frame->begin;
}

bool frame_within(const Frame *frame)
{
	return frame->scanning;
}

static void forget_all(Frame *frame)
{
	if (frame->buffer.capacity > FRAME_KEEP_MAX)
		buffer_done(&frame->buffer);
	buffer_clear(&frame->buffer);
	frame->begin = 0;
}

int frame_append(Frame *frame, const void *data, size_t size)
{
	if (frame->lost)
		return 0;
	/* Only when there is less to move than was used: each byte is moved a bounded number of times. */
	if (frame->begin > 0 && frame->begin >= frame_held(frame)) {
		buffer_consume(&frame->buffer, frame->begin);
		frame->begin = 0;
	}
	buffer_append(&frame->buffer, data, size);
	return buffer_error(&frame->buffer);
}

static int lose(Frame *frame)
{
	frame->lost = true;
	frame->scanning = false;
	forget_all(frame);
	return -EBADMSG;
}

static int lose_by(Frame *frame, const JsonError *json, Error *error)
{
	ErrorCode code = json->fault == JSON_FAULT_DEPTH ? ERROR_TOO_DEEP : ERROR_BAD_JSON;

	error_set(error, code, NULL, "%s, at byte %zu of the request; the connection is closed", json->message,
		  json->offset);
	return lose(frame);
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Skips to the next object. 1: it begins; 0: there is none yet. */
static int begin_object(Frame *frame, Error *error)
{
	const Buffer *buffer = &frame->buffer;
	uint8_t byte;

	while (frame->begin < buffer->size && is_space(buffer->data[frame->begin]))
		frame->begin++;
	if (frame->begin == buffer->size) {
		forget_all(frame);
		return 0;
	}
	byte = buffer->data[frame->begin];
	if (byte != '{') {
		error_set(error, ERROR_BAD_JSON, NULL,
			  byte > 0x20 && byte < 0x7f
				  ? "expected a JSON object, got byte 0x%02x ('%c'); the connection is closed"
				  : "expected a JSON object, got byte 0x%02x; the connection is closed",
			  byte, byte);
		return lose(frame);
	}
	json_scan_init(&frame->scan, frame->depth_max);
	frame->scanning = true;
	return 1;
}

int frame_next(Frame *frame, const char **ret_text, size_t *ret_size, size_t *ret_members, Error *error)
{
	JsonError json;
	const char *text;
	int r;

	if (frame->lost)
		return error_set(error, ERROR_BAD_JSON, NULL,
				 "what came before could not be read; the connection is closed");
	r = frame->scanning ? 1 : begin_object(frame, error);
	if (r <= 0)
		return r;
	text = (const char *)frame->buffer.data + frame->begin;
	r = json_scan(&frame->scan, text, MIN(frame_held(frame), frame->size_max), &json);
	if (r == -EAGAIN && frame_held(frame) <= frame->size_max)
		return 0;
	if (r == -EAGAIN) {
		error_set(error, ERROR_TOO_LARGE, NULL,
			  "expected a request of at most %zu bytes, got more; the connection is closed",
			  frame->size_max);
		return lose(frame);
	}
	if (r < 0)
		return lose_by(frame, &json, error);
	frame->scanning = false;
	frame->begin += frame->scan.at;
	*ret_text = text;
	*ret_size = frame->scan.at;
	*ret_members = frame->scan.members;
	return 1;
}

int frame_end(Frame *frame, Error *error)
{
	JsonError json;

	if (!frame->scanning)
		return 0;
	json_scan_missing(&frame->scan, &json);
	return lose_by(frame, &json, error);
}
