/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a spec, and who reads or checks which: what spec/load.c puts together. All errors go to the loader. */
#pragma once

#include "spec/loader.h"

/* Read: load_args.c, load_hook.c, load_program.c, load_references.c */
void read_hook_args(Loader *loader, struct json_object *value, void *target);    /* SpecArgs */
void read_program_args(Loader *loader, struct json_object *value, void *target); /* SpecArgs */
void read_outputs(Loader *loader, struct json_object *value, void *target);      /* SpecArgs */
void read_references(Loader *loader, struct json_object *value, void *target);   /* SpecReferences */
/** \brief "hooks.NAME" or "programs.NAME" into \p ret, else an error. */
bool load_reference(Loader *loader, const char *text, SpecReference *ret);
void load_hook(Loader *loader, SpecHook *hook, struct json_object *value);
void load_program(Loader *loader, SpecProgram *program, struct json_object *value);

/* Check, once all is read: check.c, functions.c, graph.c, plans.c */
/** \brief Rule 4, so far as it concerns one hook alone. */
void check_hooks(Loader *loader);
/** \brief References to functions: their symbols and files, collisions, agreement of those who share one. */
void load_functions(Loader *loader);
/** \brief Cycles (rule 2), and hooks whose rectifiers stand alone (rule 5). */
void check_graph(Loader *loader);
/** \brief Compiles every program whose parts are whole, and checks its flow. */
void check_plans(Loader *loader);
