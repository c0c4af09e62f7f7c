/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/config_show.h"
#include "daemon/home.h"
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
	     "      --config=FILE    read settings there, and nowhere else (default: see ryuso.conf(5))\n"
	     "      --root=DIR       look for the directories of settings below DIR\n"
	     "      --instance=NAME  the instance's name (default: ryuso)\n"
	     "      --user           be a user's own: state, settings, modules below the home directory\n"
	     "      --check-config   say what is wrong with the settings, and end\n"
	     "      --show-config    show each setting and where it comes from, and end\n"
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

/* What is only shown, when the rest is known. */
typedef struct Wish {
	const char *inspect; /* a state directory; NULL */
	bool check, show;    /* the settings */
} Wish;

static int say_wrong(const char *option, const char *expected, const char *got, int *ret_status)
{
	fprintf(stderr, "ryusod: %s: expected %s, got \"%s\"\n", option, expected, got);
	return usage_error(ret_status);
}

/* 0: it is one with which the rest is to be read on. */
static int take_option(int option, Options *options, Wish *wish, int *ret_status)
{
	switch (option) {
	case 's':
		options->socket = optarg;
		return 0;
	case 'm':
		options->module = optarg;
		return *optarg ? 0 : say_wrong("--module", "a file name", optarg, ret_status);
	case 'd':
		options->state = optarg;
		return 0;
	case 'c':
		options->config = optarg;
		return 0;
	case 'r':
		options->root = optarg;
		return 0;
	case 'i':
		options->instance = optarg;
		return 0;
	case 'u':
		options->user = true;
		return 0;
	case 'I':
		wish->inspect = optarg;
		return 0;
	case 'C':
		wish->check = true;
		return 0;
	case 'S':
		wish->show = true;
		return 0;
	case 'h':
	case 'V':
		say(option);
		*ret_status = EXIT_SUCCESS;
		return 1;
	default:
		return usage_error(ret_status);
	}
}

ConfigSetup options_config(const Options *options)
{
	return (ConfigSetup){
		.root = options->root,
		.file = options->config,
		.instance = options->instance,
		.module = options->module,
		.directory = options->user ? options->settings : NULL,
	};
}

static bool take_path(char *path, char text[static OPTIONS_PATH_MAX])
{
	bool fits = path && strlen(path) < OPTIONS_PATH_MAX;

	if (fits)
		strcpy(text, path);
	free(path);
	return fits;
}

static int settle_user(Options *options, int *ret_status)
{
	if (!options->user ||
	    (take_path(home_settings(), options->settings) && take_path(home_modules(), options->modules)))
		return 0;
	fprintf(stderr, "ryusod: --user: expected a home directory of at most %u bytes, in HOME or in passwd(5)\n",
		OPTIONS_PATH_MAX);
	return usage_error(ret_status);
}

/* 1: it was, and the program ends. */
static int grant(const Wish *wish, const Options *options, int *ret_status)
{
	const ConfigSetup setup = options_config(options);

	if (!wish->inspect && !wish->check && !wish->show)
		return 0;
	if (wish->inspect)
		*ret_status = inspect_print(wish->inspect);
	else
		*ret_status = wish->show ? config_show(&setup) : config_check(&setup);
	return 1;
}

int options_parse(int argc, char **argv, Options *ret, int *ret_status)
{
	static const struct option names[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "module", required_argument, NULL, 'm' },
		{ "state", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "root", required_argument, NULL, 'r' },
		{ "instance", required_argument, NULL, 'i' },
		{ "inspect", required_argument, NULL, 'I' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "show-config", no_argument, NULL, 'S' },
		{ "user", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	Options options = { .instance = "ryuso" };
	Wish wish = { 0 };
	int option, r;

	while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		r = take_option(option, &options, &wish, ret_status);
		if (r != 0)
			return r;
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
	r = settle_user(&options, ret_status);
	if (r == 0)
		r = grant(&wish, &options, ret_status);
	if (r == 0)
		*ret = options;
	return r;
}

char *options_state(const Options *options)
{
	const char *given = getenv("STATE_DIRECTORY");
	char *path;

	if (options->state)
		return strdup(options->state);
	if (given && *given)
		return strndup(given, strcspn(given, ":"));
	if (options->user)
		return home_state(options->instance);
	return asprintf(&path, RYUSO_STATEDIR "/ryuso/%s", options->instance) < 0 ? NULL : path;
}
