/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small and strict template language. `{{name}}` is replaced by a text; `{{#name}}…{{/name}}` stands once for each
 * item of a list, or where a flag is set; `{{^name}}…{{/name}}` where the list is empty or the flag is not set;
 * `{{! …}}` is left out. A section's tag or a comment that is alone on its line takes the whole line with it. Texts go
 * in as they are: making them safe is the business of whoever fills in the fields (gen/escape.h). */
#pragma once

#include "base/buffer.h"
#include "gen/fields.h"

#define TEMPLATE_DEPTH_MAX 16U

typedef struct TemplateError {
	unsigned line; /* of the template, from 1 */
	char message[160];
} TemplateError;

/** \brief Appends the template filled in. -EBADMSG with \p error where it is no good template or names a field that
 * there is not; -ENOMEM. */
int template_render(const char *text, size_t size, const Fields *fields, Buffer *buffer, TemplateError *error);
