/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/load.h"

#define OPEN_MESSAGE_SIZE 1024

Module *module_free(Module *module)
{
	if (!module)
		return NULL;
	if (module->opened && module->table->close)
		module->table->close();
	for (size_t i = 0; module->plans && i < module->spec->n_programs; i++)
		plan_free(module->plans[i]);
	free(module->plans);
	spec_free(module->spec);
	/* The object stays mapped: what it registered to be run at the exit is still to be found there. */
	free(module);
	return NULL;
}

/* The loader's own sentence, without the name that it was given. */
static const char *loader_message(const char *path)
{
	const char *message = dlerror();
	size_t size = strlen(path);

	if (!message)
		return "no reason was given";
	if (strncmp(message, path, size) == 0 && strncmp(message + size, ": ", 2) == 0)
		return message + size + 2;
	return message;
}

static int load_object(Module *module, int fd, Error *error)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module->handle)
		return error_set(error, ERROR_NO_MODULE, NULL, "the module cannot be loaded: %s", loader_message(path));
	return 0;
}

static int load_table(Module *module, Error *error)
{
	const ElfW(Sym) *symbol = NULL;
	const void *table = dlsym(module->handle, RYUSO_MODULE_SYMBOL);
	Dl_info info;
	int r;

	if (!table || !dladdr1(table, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || info.dli_saddr != table)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "the module has no symbol \"%s\": expected an object that was built from what "
				 "ryuso-gen made",
				 RYUSO_MODULE_SYMBOL);
	r = module_check_table(table, symbol->st_size, error);
	if (r < 0)
		return r;
	module->table = table;
	module_build_id(table, module->build_id);
	id_fingerprint(module->table->spec, module->table->spec_size, &module->fingerprint);
	return 0;
}

static int load_spec(Module *module, Error *error)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	_cleanup_buffer_ Buffer line = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	r = spec_load(module->table->spec, module->table->spec_size, &module->spec, &issues);
	if (r != -EBADMSG)
		return r;
	for (size_t i = 0; i < issues.n && line.size == 0; i++)
		if (!issues.items[i].warning)
			spec_issue_format(&issues.items[i], "spec", &line);
	text = buffer_take_text(&line);
	return error_set(error, ERROR_NO_MODULE, NULL, "the spec in the module is not accepted: %s",
			 text ? text : "no reason was given");
}

static int open_module(Module *module, Error *error)
{
	char message[OPEN_MESSAGE_SIZE] = "";
	_cleanup_buffer_ Buffer clean = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	r = module->table->open ? module->table->open(message, sizeof(message)) : 0;
	if (r == 0) {
		module->opened = true;
		return 0;
	}
	text_escape(message, strnlen(message, sizeof(message)), sizeof(message), &clean);
	text = buffer_take_text(&clean);
	return error_set(error, ERROR_NO_MODULE, NULL, "ryuso_module_open() returned %d, expected 0: %s", r,
			 text && *text ? text : "it gave no message");
}

int module_load(int fd, Module **ret, Error *error)
{
	_cleanup_module_ Module *module = calloc(1, sizeof(*module));
	int r;

	if (!module)
		return -ENOMEM;
	r = module_check_file(fd, error);
	if (r >= 0)
		r = load_object(module, fd, error);
	if (r >= 0)
		r = load_table(module, error);
	if (r >= 0)
		r = load_spec(module, error);
	if (r >= 0)
		r = module_check_spec(module->table, module->spec, error);
	if (r < 0)
		return r;
	module->plans = calloc(module->spec->n_programs + 1, sizeof(Plan *));
	if (!module->plans)
		return -ENOMEM;
	r = open_module(module, error);
	if (r < 0)
		return r;
	*ret = take_ptr(module);
	return 0;
}

int module_plan(Module *module, const char *name, size_t name_size, const Plan **ret)
{
	char text[SPEC_NAME_MAX + 1];
	const SpecProgram *program;
	PlanError error = { 0 };
	Plan **plan;
	int r;

	if (name_size > SPEC_NAME_MAX)
		return -ENOENT;
	memcpy(text, name, name_size);
	text[name_size] = '\0';
	program = spec_program(module->spec, text);
	if (!program)
		return -ENOENT;
	plan = &module->plans[program - module->spec->programs];
	if (!*plan) {
		r = plan_compile(module->spec, program, plan, &error);
		plan_error_done(&error);
		if (r < 0)
			return r;
	}
	*ret = *plan;
	return 0;
}

const struct ryuso_module_function *module_function(const Module *module, const PlanOp *op)
{
	return &module->table->functions[op->hook->function];
}
