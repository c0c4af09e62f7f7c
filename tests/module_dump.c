/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* module_dump MODULE: what its descriptor says, as JSON; the spec in hexadecimal. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ryuso/module.h>

static void dump_functions(const struct ryuso_module *module)
{
	printf(",\n\"functions\": [");
	for (uint32_t i = 0; i < module->n_functions; i++)
		printf("%s{\"reference\": \"%s\", \"args\": %u, \"outputs\": %u}", i ? ", " : "",
		       module->functions[i].reference, module->functions[i].n_args, module->functions[i].n_outputs);
	printf("]");
}

static void dump_steps(const struct ryuso_module_program *program)
{
	printf(", \"steps\": [");
	for (uint32_t i = 0; i < program->n_steps; i++)
		printf("%s[%u, %u, %u, \"%s\"]", i ? ", " : "", program->steps[i].op, program->steps[i].step,
		       program->steps[i].function, program->steps[i].hook);
	printf("]");
}

static void dump_programs(const struct ryuso_module *module)
{
	printf(",\n\"programs\": [");
	for (uint32_t i = 0; i < module->n_programs; i++) {
		const struct ryuso_module_program *program = &module->programs[i];

		printf("%s{\"name\": \"%s\", \"fingerprint\": \"", i ? ",\n" : "", program->name);
		for (unsigned j = 0; j < sizeof(program->fingerprint); j++)
			printf("%02x", program->fingerprint[j]);
		printf("\"");
		dump_steps(program);
		printf("}");
	}
	printf("]");
}

int main(int argc, char *argv[])
{
	void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct ryuso_module *module = object ? dlsym(object, RYUSO_MODULE_SYMBOL) : NULL;

	if (!module) {
		fprintf(stderr, "module_dump: %s\n", argc == 2 ? dlerror() : "expected one module");
		return EXIT_FAILURE;
	}
	printf("{\"magic\": \"%.8s\", \"name\": \"%s\", \"open\": %s, \"close\": %s,\n", module->header.magic,
	       module->name, module->open ? "true" : "false", module->close ? "true" : "false");
	printf("\"spec\": \"");
	for (size_t i = 0; i < module->spec_size; i++)
		printf("%02x", (unsigned char)module->spec[i]);
	printf("\"");
	dump_functions(module);
	dump_programs(module);
	printf("}\n");
	return module->spec[module->spec_size] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
}
