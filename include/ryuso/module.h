/* SPDX-License-Identifier: LGPL-2.1-or-later */
/** \file
 * \brief The module ABI: what generated code includes. Not for hook authors.
 *
 * A module exports one symbol, `ryuso_module`. It begins with a header whose layout never changes; a host checks it
 * before it follows any pointer. Within a major the structures only grow at their ends; their sizes say how far they
 * go.
 */
#ifndef RYUSO_MODULE_H
#define RYUSO_MODULE_H

#include <ryuso/hook.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RYUSO_MODULE_SYMBOL "ryuso_module"
#define RYUSO_MODULE_MAGIC "RYUSOMOD"
#define RYUSO_MODULE_MAJOR 1
#define RYUSO_MODULE_MINOR 0

/** \brief Frozen for ever: 32 bytes. */
struct ryuso_module_header {
	char magic[8]; /* RYUSO_MODULE_MAGIC, no NUL */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t module_size;   /* sizeof(struct ryuso_module) */
	uint32_t function_size; /* sizeof(struct ryuso_module_function) */
	uint32_t program_size;  /* sizeof(struct ryuso_module_program) */
	uint32_t step_size;     /* sizeof(struct ryuso_module_step) */
	uint32_t reserved;      /* 0 */
};

/** \brief One C function, through its adapter: fetches the arguments, calls, frees them. */
struct ryuso_module_function {
	const char *reference; /* "wallet.ledger.accounts.debit" */
	ryuso_status (*call)(ryuso_run *run);
	uint32_t n_args;
	uint32_t n_outputs;
};

/** \brief One call of a plan. */
struct ryuso_module_step {
	uint32_t op;       /* number of the call in the plan */
	uint32_t step;     /* the step that it makes or reverses */
	uint32_t function; /* index into the module's functions */
	const char *hook;
};

/** \brief One program's plan, as the generator compiled it; a host that compiles the spec to another one refuses the
 * module. */
struct ryuso_module_program {
	const char *name;
	uint8_t fingerprint[16]; /* of the plan */
	uint32_t n_steps;
	const struct ryuso_module_step *steps;
};

struct ryuso_module {
	struct ryuso_module_header header;
	const char *name;      /* the module's name: "wallet" */
	const char *version;   /* the spec's version, or NULL */
	const char *generator; /* version of ryuso-gen */
	const char *spec;
	size_t spec_size; /* without the NUL */
	const struct ryuso_module_function *functions;
	uint32_t n_functions;
	uint32_t n_programs;
	const struct ryuso_module_program *programs;
	int (*open)(char *message, size_t message_size); /* or NULL */
	void (*close)(void);                             /* or NULL */
};

/* What adapters use: arguments and outputs by their number in the spec's order. The host has checked presence and type
 * before. */

/** \brief 1 where the argument is present (or has a default), 0 where not; a negative errno where it cannot be handed
 * over. */
int ryuso_module_arg_int(const ryuso_run *run, unsigned arg, int64_t *ret);
int ryuso_module_arg_float(const ryuso_run *run, unsigned arg, double *ret);
int ryuso_module_arg_bool(const ryuso_run *run, unsigned arg, bool *ret);
/** \brief Borrowed until the hook returns. */
int ryuso_module_arg_string(const ryuso_run *run, unsigned arg, const char **ret);
/** \brief A copy of its own, to be put with json_object_put(). */
int ryuso_module_arg_json(const ryuso_run *run, unsigned arg, struct json_object **ret);
/** \brief What an adapter returns where an argument could not be handed over: memory was short, nothing was called. */
ryuso_status ryuso_module_no_args(ryuso_run *run, int error);

int ryuso_module_set_int(ryuso_run *run, unsigned output, int64_t value);
int ryuso_module_set_float(ryuso_run *run, unsigned output, double value);
int ryuso_module_set_bool(ryuso_run *run, unsigned output, bool value);
int ryuso_module_set_string(ryuso_run *run, unsigned output, const char *value);
int ryuso_module_set_json(ryuso_run *run, unsigned output, struct json_object *value);

#ifdef __cplusplus
}
#endif

#endif
