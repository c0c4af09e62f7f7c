/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec as the fields that templates are filled in with: every text in them is safe in C where its template puts it.
 * The names of the fields are the templates' vocabulary; they are all in model.c, model_function.c and model_plan.c. */
#pragma once

#include "gen/fields.h"
#include "spec/spec.h"

/** \brief The whole; \p text is the spec as it was read, which the module will carry. -ENOMEM. */
int model_new(const Spec *spec, const char *text, size_t size, Fields **ret);
/** \brief The scope of function \p function in it. Borrowed. */
const Fields *model_function(const Fields *model, size_t function);

/* Parts of model_new(). */
void model_add_function(Fields *model, const Spec *spec, size_t function, const char *hooks);
int model_add_program(Fields *model, const Spec *spec, size_t program);
/** \brief Whether \p args has a list or a dict. */
bool model_has_json(const SpecArgs *args);
/** \brief Sets \p name to what \p buffer holds, and empties that. */
void model_take(Fields *fields, const char *name, Buffer *buffer);
