/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of a connection → whole JSON objects. White space between objects is skipped; an object ends with its closing
 * brace. Pure: the caller hands over what it has received and asks frame_next() until there is nothing more. Each byte
 * is looked at once, however the bytes arrive. Errors here lose the framing: they stick, and the connection is closed
 * after the answer. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

typedef struct Frame {
	Buffer buffer;
	size_t begin; /* of the object being looked for */
	JsonScan scan;
	size_t size_max;
	uint32_t depth_max;
	bool scanning; /* an object has begun and not ended */
	bool lost;     /* the framing is lost; nothing more is taken */
} Frame;

void frame_init(Frame *frame, size_t size_max, uint32_t depth_max);
/** \brief Other limits: for the depth, from the next object on. */
void frame_limit(Frame *frame, size_t size_max, uint32_t depth_max);
void frame_done(Frame *frame);
/** \brief Appends what was received. -ENOMEM. What comes after the framing is lost is dropped. */
int frame_append(Frame *frame, const void *data, size_t size);
/** \brief The next whole object: borrowed until the next call of any function here. 1; 0: more bytes are needed;
 * -EBADMSG with \p error (BadJSON, TooLarge, TooDeep), and again each time after that. \p ret_members: how many names
 * it holds in all, for request_parse(). */
int frame_next(Frame *frame, const char **ret_text, size_t *ret_size, size_t *ret_members, Error *error);
/** \brief Nothing more will come: 0, or -EBADMSG with \p error (BadJSON) where an object has begun and not ended. */
int frame_end(Frame *frame, Error *error);
/** \brief Whether an object has begun and not ended. */
bool frame_within(const Frame *frame);
/** \brief Bytes held that no object was made of yet. */
size_t frame_held(const Frame *frame);
