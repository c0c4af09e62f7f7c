/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec as it was read: programs, hooks, arguments. Loaded once (spec/load.h), never changed, owned by whoever loaded
 * it; everything in it is in the order of the file. Pointers between its parts are borrowed from it. Seconds are
 * microseconds here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/value.h"
#include "spec/names.h"

#define SPEC_NAME_MAX 64U         /* bytes of any name */
#define SPEC_ARGS_MAX 256U        /* arguments of one hook or program */
#define SPEC_HOOKS_MAX 16384U     /* hooks, and programs, of one spec */
#define SPEC_REFERENCES_MAX 4096U /* entries of one list of references */
#define SPEC_REFERENCE_MAX 255U   /* bytes of a function's reference */
#define SPEC_ALLOWED_MAX 1024U    /* users, and groups, of one program */
#define SPEC_ACCOUNT_MAX 256U     /* bytes of a user's or group's name */
#define SPEC_SIZE_MAX (16U << 20) /* bytes of the file */
#define SPEC_DEPTH_MAX 64U        /* of its nesting */
#define SPEC_ATTEMPTS_MAX 1000U
#define SPEC_TIMEOUT_MAX_USEC (366ULL * 86400ULL * USEC_PER_SEC)

#define SPEC_RECTIFIER_ATTEMPTS 3U
#define SPEC_RECTIFIER_BACKOFF_USEC 100000ULL
#define SPEC_RECTIFIER_MAX_BACKOFF_USEC 5000000ULL

typedef struct SpecArg {
	char *name;
	ValueType type;
	bool required;
	bool secret;
	bool has_default;
	Value fallback;    /* arg.default: of this type; an int default of a float is kept as a float */
	char *description; /* or NULL, as all descriptions */
} SpecArg;

typedef struct SpecArgs {
	SpecArg *items;
	size_t n;
	bool declared; /* the key was there: `"outputs": {}` is declared and empty */
} SpecArgs;

typedef struct SpecBind {
	char *name; /* of this hook */
	char *key;  /* in the pool, or in the scope of the hook that brings this one */
} SpecBind;

struct SpecHook;
struct SpecProgram;

/** \brief "hooks.NAME" or "programs.NAME", resolved; exactly one of the two is set. */
typedef struct SpecReference {
	const struct SpecHook *hook;
	const struct SpecProgram *program;
} SpecReference;

typedef struct SpecReferences {
	SpecReference *items;
	size_t n;
} SpecReferences;

typedef struct SpecRetry {
	bool declared;
	uint32_t attempts; /* all calls, the first included; 1 where nothing was declared */
	uint64_t backoff_usec;
	uint64_t max_backoff_usec;
} SpecRetry;

typedef struct SpecHook {
	char *name;
	char *reference;                   /* as written */
	const struct SpecProgram *program; /* the program it stands for, or NULL */
	uint32_t function;                 /* index into Spec.functions where program is NULL */
	SpecArgs args;
	SpecArgs outputs;
	SpecReferences dependencies;
	SpecReferences rectifiers;
	SpecBind *binds;
	size_t n_binds;
	uint64_t timeout_usec; /* 0: none */
	SpecRetry retry;
	bool idempotent;
	bool irreversible;
	char *description;
} SpecHook;

typedef enum SpecDurability {
	SPEC_DURABILITY_DISK,
	SPEC_DURABILITY_PROCESS,
} SpecDurability;

typedef struct SpecAllow {
	bool declared; /* where not, everybody who can connect may run it */
	char **users;  /* names; digits alone: a number below UINT32_MAX. So for groups */
	size_t n_users;
	char **groups;
	size_t n_groups;
} SpecAllow;

typedef struct SpecProgram {
	char *name;
	SpecReferences hooks;
	SpecArgs args;
	SpecArgs outputs;
	uint64_t timeout_usec; /* 0: none */
	SpecAllow allow;
	bool durability_declared;
	SpecDurability durability;
	char *probe; /* or NULL */
	char *description;
} SpecProgram;

/** \brief One C function: all hooks with the same reference share it, and agree in args and outputs. */
typedef struct SpecFunction {
	char *reference;      /* "wallet.ledger.accounts.debit" */
	char *symbol;         /* "ledger_accounts_debit" */
	char *file;           /* "ledger/accounts.c", below hooks/ */
	const SpecHook *hook; /* the first hook that names it: its args and outputs are the function's */
} SpecFunction;

typedef struct Spec {
	char *name;    /* as written */
	char *module;  /* lower case, '_' for spaces and hyphens */
	char *version; /* or NULL */
	SpecProgram *programs;
	size_t n_programs;
	SpecHook *hooks;
	size_t n_hooks;
	SpecFunction *functions;
	size_t n_functions;
	Names program_names, hook_names; /* private: number = index */
} Spec;

Spec *spec_free(Spec *spec);
DEFINE_CLEANUP(Spec *, spec_free)
#define _cleanup_spec_ _cleanup_(spec_freep)

const SpecProgram *spec_program(const Spec *spec, const char *name); /* or NULL */
const SpecHook *spec_hook(const Spec *spec, const char *name);
const SpecArg *spec_arg(const SpecArgs *args, const char *name);
