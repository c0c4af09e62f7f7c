/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/inspect.h"

#define INSTANCE_MAX 64

static void help(void)
{
	puts("Usage: ryusod [OPTION…]\n"
	     "Run programs of hooks for local clients: all done, or all undone.\n"
	     "\n"
	     "      --socket=PATH    listen there (default: on what systemd has handed over)\n"
	     "      --module=FILE    use this module (default: Module=, or the instance's)\n"
	     "      --state=DIR      keep state there (default: $STATE_DIRECTORY, or " RYUSO_STATEDIR "/ryuso/NAME)\n"
	     "      --config=FILE    read settings there (default: " RYUSO_SYSCONFDIR "/ryuso/ryuso.conf)\n"
	     "      --instance=NAME  the instance's name (default: ryuso)\n"
	     "      --inspect=DIR    say what the state directory DIR holds, reading only, and end\n"
	     "      --help           show this\n"
	     "      --version        show the version\n"
	     "\n"
	     "See ryusod(8).");
}

static void say(int option)
{
	if (option == 'h')
		help();
	else
		puts("ryusod " PACKAGE_VERSION);
}

static bool is_instance(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= INSTANCE_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == length;
}

static int usage_error(int *ret_status)
{
	fputs("Try \"ryusod --help\".\n", stderr);
	*ret_status = EX_USAGE;
	return 1;
}

int options_parse(int argc, char **argv, Options *ret, int *ret_status)
{
	static const struct option names[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "module", required_argument, NULL, 'm' },
		{ "state", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "instance", required_argument, NULL, 'i' },
		{ "inspect", required_argument, NULL, 'I' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	Options options = { .instance = "ryuso" };
	const char *inspect = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		if (option == 's') {
			options.socket = optarg;
		} else if (option == 'm') {
			options.module = optarg;
		} else if (option == 'd') {
			options.state = optarg;
		} else if (option == 'c') {
			options.config = optarg;
		} else if (option == 'i') {
			options.instance = optarg;
		} else if (option == 'I') {
			inspect = optarg;
		} else if (option == 'h' || option == 'V') {
			say(option);
			*ret_status = EXIT_SUCCESS;
			return 1;
		} else {
			return usage_error(ret_status);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ryusod: expected options only, got \"%s\"\n", argv[optind]);
		return usage_error(ret_status);
	}
	if (!is_instance(options.instance)) {
		fprintf(stderr, "ryusod: --instance: expected letters, digits and \"_.:-\" (at most %d), got \"%s\"\n",
			INSTANCE_MAX, options.instance);
		return usage_error(ret_status);
	}
	if (inspect) {
		*ret_status = inspect_print(inspect);
		return 1;
	}
	*ret = options;
	return 0;
}

char *options_state(const Options *options)
{
	const char *given = getenv("STATE_DIRECTORY");
	char *path;

	if (options->state)
		return strdup(options->state);
	if (given && *given)
		return strndup(given, strcspn(given, ":"));
	return asprintf(&path, RYUSO_STATEDIR "/ryuso/%s", options->instance) < 0 ? NULL : path;
}
