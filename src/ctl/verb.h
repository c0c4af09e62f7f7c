/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of ryusoctl, in tables: one table for each group, one file for each table. A verb returns what to exit
 * with, and has said itself whatever there is to say. */
#pragma once

#include "ctl/ctl.h"

#define VERB_ARGUMENTS_ANY SIZE_MAX

typedef struct Verb {
	const char *name;
	size_t min, max;  /* arguments, the verb itself not counted */
	unsigned options; /* OptionBit: those that it knows beyond the common ones */
	int (*run)(Ctl *ctl, char *const *arguments, size_t n);
	const char *usage;   /* its arguments: "PROGRAM [NAME=VALUE…]" */
	const char *summary; /* one line */
	const char *details; /* more lines, or NULL */
} Verb;

typedef struct VerbGroup {
	const char *title;
	const Verb *verbs;
	size_t n;
} VerbGroup;

extern const VerbGroup run_verbs;    /* run.c */
extern const VerbGroup runs_verbs;   /* runs.c */
extern const VerbGroup look_verbs;   /* look.c */
extern const VerbGroup parked_verbs; /* parked.c */
extern const VerbGroup decide_verbs; /* decide.c */
extern const VerbGroup hold_verbs;   /* hold.c */
extern const VerbGroup reload_verbs; /* reload.c */

/** \brief Runs what \p words (the first is the verb) and the options ask for. Returns what to exit with. */
int verb_run(Ctl *ctl, char *const *words, size_t n);
