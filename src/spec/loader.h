/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec being read: where in the JSON the reader stands, what was found wrong so far, and objects read by a table of
 * their keys. Borrows the JSON tree; owns the Spec until it is whole. */
#pragma once

#include "base/json.h"
#include "spec/issues.h"
#include "spec/spec.h"

typedef struct Loader {
	Spec *spec;
	struct json_object *programs, *hooks; /* borrowed; NULL where they are missing or no objects */
	Buffer path;                          /* JSON pointer to what is being looked at, NUL-terminated */
	Issues issues;
	bool *programs_broken, *hooks_broken; /* by index: an error was found in it, so what follows is not judged */
	bool *broken;                         /* of the part that is being looked at, or NULL */
	unsigned suggestions;                 /* candidates that may still be compared for "did you mean" */
	int error;                            /* -ENOMEM; sticks */
} Loader;

void loader_done(Loader *loader);

/** \brief Goes into a member or element; returns what loader_leave() wants. */
size_t loader_enter(Loader *loader, const char *name);
size_t loader_enter_index(Loader *loader, size_t index);
void loader_leave(Loader *loader, size_t where);
/** \brief Goes to the path made of these names, the last of which is NULL. */
void loader_go(Loader *loader, ...) __attribute__((sentinel));
/** \brief Goes to a hook or program of the spec, and counts errors against it. */
void loader_go_hook(Loader *loader, const SpecHook *hook);
void loader_go_program(Loader *loader, const SpecProgram *program);

void loader_error(Loader *loader, const char *format, ...) _printf_(2, 3);
void loader_error_at_name(Loader *loader, const char *format, ...) _printf_(2, 3);
void loader_warning(Loader *loader, const char *format, ...) _printf_(2, 3);

/** \brief Value as a message shows it: `"text"`, `42`, `an object`; to be freed; NULL (and the loader has failed) where
 * memory is short. */
char *loader_show(Loader *loader, struct json_object *value);
char *loader_show_text(Loader *loader, const char *text);
/** \brief ` (did you mean "…"?)`, or "" where nothing is close; to be freed. \p prefix goes before the candidate. */
char *loader_suggest(Loader *loader, const char *word, const char *prefix, const char *const *candidates, size_t n);

/** \brief One key of ours. */
typedef struct Field {
	const char *name;
	bool required;
	void (*read)(Loader *loader, struct json_object *value, void *target);
	size_t offset; /* of the target in the struct that the object becomes */
} Field;

/** \brief Reads an object by the table of its keys: unknown and missing ones are errors, `x-` keys are passed over. */
void loader_object(Loader *loader, struct json_object *value, const Field *fields, size_t n_fields, void *target);
/** \brief Whether it is an object of at most \p max members (else an error). */
bool loader_is_object(Loader *loader, struct json_object *value, size_t max);
bool loader_is_array(Loader *loader, struct json_object *value, size_t max);
/** \brief The text of a string (else an error, and NULL), borrowed. */
const char *loader_text(Loader *loader, struct json_object *value);
/** \brief calloc() for arrays of a spec; NULL where memory is short or \p n is 0. */
void *loader_array(Loader *loader, size_t n, size_t size);
char *loader_copy(Loader *loader, const char *text);

/* Readers of simple values; targets are char *, bool. */
void read_text(Loader *loader, struct json_object *value, void *target);
void read_bool(Loader *loader, struct json_object *value, void *target);
/** \brief For what is looked at elsewhere. */
void read_nothing(Loader *loader, struct json_object *value, void *target);
/** \brief A number of seconds between \p min_usec and \p max_usec into a uint64_t of microseconds. */
bool loader_seconds(Loader *loader, struct json_object *value, uint64_t min_usec, uint64_t max_usec, uint64_t *ret);
void read_timeout(Loader *loader, struct json_object *value, void *target); /* uint64_t */
