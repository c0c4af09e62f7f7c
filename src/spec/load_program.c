/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct Accounts {
	char **names;
	size_t n;
} Accounts;

/* Digits alone are a number: no system calls an account so. */
static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The last number of all is no account's: it says "none". */
static bool is_account_number(const char *text)
{
	const char *digits = text + strspn(text, "0");

	return strlen(digits) <= 10 && strtoull(text, NULL, 10) < UINT32_MAX;
}

static void add_text(Loader *loader, const char *text, Accounts *accounts)
{
	if (strlen(text) == 0 || strlen(text) > SPEC_ACCOUNT_MAX)
		loader_error(loader, "expected a name of 1 to %u bytes; got %zu", SPEC_ACCOUNT_MAX, strlen(text));
	else if (is_number(text) && !is_account_number(text))
		loader_error(loader, "expected a number from 0 to %u; got %s", UINT32_MAX - 1, text);
	else
		accounts->names[accounts->n++] = loader_copy(loader, text);
}

static void add_account(Loader *loader, struct json_object *value, Accounts *accounts)
{
	_cleanup_free_ char *shown = NULL;

	if (json_object_is_type(value, json_type_string)) {
		add_text(loader, json_object_get_string(value), accounts);
		return;
	}
	shown = loader_show(loader, value);
	if (!shown)
		return;
	if (!json_object_is_type(value, json_type_int))
		loader_error(loader, "expected a name or a number; got %s", shown);
	else if (!is_number(shown))
		loader_error(loader, "expected a number from 0 to %u; got %s", UINT32_MAX - 1, shown);
	else
		add_text(loader, shown, accounts);
}

static Accounts load_accounts(Loader *loader, struct json_object *value)
{
	Accounts accounts = { 0 };

	if (!loader_is_array(loader, value, SPEC_ALLOWED_MAX))
		return accounts;
	accounts.names = loader_array(loader, json_object_array_length(value), sizeof(*accounts.names));
	for (size_t i = 0; accounts.names && i < json_object_array_length(value); i++) {
		size_t where = loader_enter_index(loader, i);

		add_account(loader, json_object_array_get_idx(value, i), &accounts);
		loader_leave(loader, where);
	}
	return accounts;
}

static void read_users(Loader *loader, struct json_object *value, void *target)
{
	SpecAllow *allow = target;
	Accounts accounts = load_accounts(loader, value);

	allow->users = accounts.names;
	allow->n_users = accounts.n;
}

static void read_groups(Loader *loader, struct json_object *value, void *target)
{
	SpecAllow *allow = target;
	Accounts accounts = load_accounts(loader, value);

	allow->groups = accounts.names;
	allow->n_groups = accounts.n;
}

static const Field allow_fields[] = {
	{ "users", false, read_users, 0 },
	{ "groups", false, read_groups, 0 },
};

static void read_allow(Loader *loader, struct json_object *value, void *target)
{
	SpecAllow *allow = target;

	allow->declared = true;
	loader_object(loader, value, allow_fields, ELEMENTSOF(allow_fields), allow);
}

static void read_durability(Loader *loader, struct json_object *value, void *target)
{
	static const char *const names[] = { [SPEC_DURABILITY_DISK] = "disk", [SPEC_DURABILITY_PROCESS] = "process" };
	SpecProgram *program = target;
	_cleanup_free_ char *shown = NULL, *suggestion = NULL;
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	program->durability_declared = true;
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(names[i], text) == 0) {
			program->durability = (SpecDurability)i;
			return;
		}
	shown = loader_show(loader, value);
	suggestion = loader_suggest(loader, text, "", names, ELEMENTSOF(names));
	if (shown && suggestion)
		loader_error(loader, "expected one of disk, process; got %s%s", shown, suggestion);
}

static const Field program_fields[] = {
	{ "hooks", true, read_references, offsetof(SpecProgram, hooks) },
	{ "args", true, read_program_args, offsetof(SpecProgram, args) },
	{ "outputs", true, read_outputs, offsetof(SpecProgram, outputs) },
	{ "description", false, read_text, offsetof(SpecProgram, description) },
	{ "timeout", false, read_timeout, offsetof(SpecProgram, timeout_usec) },
	{ "allow", false, read_allow, offsetof(SpecProgram, allow) },
	{ "durability", false, read_durability, 0 },
	{ "probe", false, read_text, offsetof(SpecProgram, probe) },
};

void load_program(Loader *loader, SpecProgram *program, struct json_object *value)
{
	loader_object(loader, value, program_fields, ELEMENTSOF(program_fields), program);
}
