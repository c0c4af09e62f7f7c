/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request for a program, made of the command line: its arguments, converted to the types that the program declares,
 * and the id by which it can be asked for again. */
#pragma once

#include "base/ids.h"
#include "ctl/ctl.h"

struct json_object;

typedef struct ProgramRequest {
	const char *program; /* borrowed */
	char random[ID_TEXT_SIZE];
	const char *request_id;   /* borrowed, or `random`; NULL: none */
	struct json_object *body; /* owned */
} ProgramRequest;

void program_request_done(ProgramRequest *request);
#define _cleanup_program_request_ _cleanup_(program_request_done)

/** \brief \p words: the program, then its arguments. \p wait: false for a submission. 0, or what to exit with; said
 * already. */
int program_request_make(Ctl *ctl, char *const *words, size_t n, bool wait, ProgramRequest *ret);
/** \brief Says that no answer came, what that means and how to go on. \p verb: by which it is asked again; \p run: its
 * run's id where it is known. \p error: of exchange_ask(). Returns what to exit with. */
int program_request_explain(const Ctl *ctl, const ProgramRequest *request, const char *verb, const char *run,
			    bool unsettled, int error);
