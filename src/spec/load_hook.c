/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parts.h"

#include <inttypes.h>
#include <string.h>

#include "spec/naming.h"

static void read_attempts(Loader *loader, struct json_object *value, void *target)
{
	_cleanup_free_ char *shown = NULL;
	int64_t attempts = json_object_get_int64(value);

	if (json_object_is_type(value, json_type_int) && attempts >= 1 && attempts <= SPEC_ATTEMPTS_MAX) {
		*(uint32_t *)target = (uint32_t)attempts;
		return;
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected a number of attempts, 1 to %u; got %s", SPEC_ATTEMPTS_MAX, shown);
}

static void read_backoff(Loader *loader, struct json_object *value, void *target)
{
	loader_seconds(loader, value, 0, SPEC_TIMEOUT_MAX_USEC, target);
}

static const Field retry_fields[] = {
	{ "attempts", true, read_attempts, offsetof(SpecRetry, attempts) },
	{ "backoff", false, read_backoff, offsetof(SpecRetry, backoff_usec) },
	{ "max_backoff", false, read_backoff, offsetof(SpecRetry, max_backoff_usec) },
};

static void read_retry(Loader *loader, struct json_object *value, void *target)
{
	SpecRetry *retry = target;
	struct json_object *max;
	size_t where;

	retry->declared = true;
	loader_object(loader, value, retry_fields, ELEMENTSOF(retry_fields), retry);
	if (retry->backoff_usec <= retry->max_backoff_usec || !json_object_is_type(value, json_type_object))
		return;
	if (!json_object_object_get_ex(value, "max_backoff", &max)) {
		retry->max_backoff_usec = retry->backoff_usec;
		return;
	}
	where = loader_enter(loader, "max_backoff");
	loader_error(loader, "expected at least \"backoff\", %g seconds; got %g", (double)retry->backoff_usec / 1e6,
		     (double)retry->max_backoff_usec / 1e6);
	loader_leave(loader, where);
}

static void bind_name(Loader *loader, const char *name, bool key)
{
	const char *expected = naming_fault(name, true);
	_cleanup_free_ char *shown = NULL;

	if (!expected)
		return;
	shown = loader_show_text(loader, name);
	if (shown && key)
		loader_error(loader, "expected %s; got %s", expected, shown);
	else if (shown)
		loader_error_at_name(loader, "expected %s; got %s", expected, shown);
}

static void read_bind(Loader *loader, struct json_object *value, void *target)
{
	SpecHook *hook = target;

	if (!loader_is_object(loader, value, 2 * SPEC_ARGS_MAX))
		return;
	hook->binds = loader_array(loader, (size_t)json_object_object_length(value), sizeof(*hook->binds));
	if (!hook->binds)
		return;
	json_object_object_foreach(value, name, member)
	{
		size_t where = loader_enter(loader, name);
		const char *key = loader_text(loader, member);
		SpecBind *bind = &hook->binds[hook->n_binds++];

		bind->name = loader_copy(loader, name);
		bind->key = loader_copy(loader, key ? key : "");
		bind_name(loader, name, false);
		if (key)
			bind_name(loader, key, true);
		loader_leave(loader, where);
	}
}

static const Field hook_fields[] = {
	{ "reference", true, read_text, offsetof(SpecHook, reference) },
	{ "args", true, read_hook_args, offsetof(SpecHook, args) },
	{ "outputs", false, read_outputs, offsetof(SpecHook, outputs) },
	{ "dependencies", false, read_references, offsetof(SpecHook, dependencies) },
	{ "rectifiers", false, read_references, offsetof(SpecHook, rectifiers) },
	{ "bind", false, read_bind, 0 },
	{ "timeout", false, read_timeout, offsetof(SpecHook, timeout_usec) },
	{ "retry", false, read_retry, offsetof(SpecHook, retry) },
	{ "idempotent", false, read_bool, offsetof(SpecHook, idempotent) },
	{ "irreversible", false, read_bool, offsetof(SpecHook, irreversible) },
	{ "description", false, read_text, offsetof(SpecHook, description) },
};

/* A reference to a program is resolved here; one to a function by functions.c. */
static void hook_program(Loader *loader, SpecHook *hook)
{
	SpecReference reference = { 0 };
	size_t where;

	if (!hook->reference || strncmp(hook->reference, "programs.", strlen("programs.")) != 0)
		return;
	where = loader_enter(loader, "reference");
	if (load_reference(loader, hook->reference, &reference))
		hook->program = reference.program;
	loader_leave(loader, where);
}

void load_hook(Loader *loader, SpecHook *hook, struct json_object *value)
{
	static const char *const of_functions[] = { "retry", "idempotent" };

	hook->retry = (SpecRetry){ .attempts = 1,
				   .backoff_usec = SPEC_RECTIFIER_BACKOFF_USEC,
				   .max_backoff_usec = SPEC_RECTIFIER_MAX_BACKOFF_USEC };
	loader_object(loader, value, hook_fields, ELEMENTSOF(hook_fields), hook);
	hook_program(loader, hook);
	if (!hook->program)
		return;
	for (size_t i = 0; i < ELEMENTSOF(of_functions); i++) {
		size_t where;

		if (!json_object_object_get_ex(value, of_functions[i], NULL))
			continue;
		where = loader_enter(loader, of_functions[i]);
		loader_error_at_name(
			loader,
			"expected no \"%s\" of a hook that stands for a program (it belongs to functions); "
			"got the key",
			of_functions[i]);
		loader_leave(loader, where);
	}
}
