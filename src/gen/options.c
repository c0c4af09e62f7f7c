/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

const char options_help[] =
	"Usage: ryuso-gen [OPTION]...\n"
	"Turns a spec into a C project whose only hand-written part is its hooks.\n"
	"\n"
	"  -s, --spec=FILE        the spec (default: ryu_spec.json)\n"
	"  -o, --output=DIR       where the project is (default: .)\n"
	"      --check            write nothing; exit with 1 where gen/ is not what the spec says\n"
	"      --example=NAME     copy an example to begin with\n"
	"      --stub=HOOK        print a hook's function, to be filled in\n"
	"      --templates=DIR    where the templates are\n"
	"  -h, --help             this text\n"
	"  -V, --version          the version\n"
	"\n"
	"Exit status: 0 done; 1 the spec has errors, gen/ is stale, or something could not be read or written;\n"
	"64 the command line is wrong.\n";

enum {
	OPTION_CHECK = 0x100,
	OPTION_EXAMPLE,
	OPTION_STUB,
	OPTION_TEMPLATES,
};

static const struct option long_options[] = {
	{ "spec", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "example", required_argument, NULL, OPTION_EXAMPLE },
	{ "stub", required_argument, NULL, OPTION_STUB },
	{ "templates", required_argument, NULL, OPTION_TEMPLATES },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int usage(const char *message)
{
	if (message)
		fprintf(stderr, "ryuso-gen: %s\n", message);
	fputs("Try ryuso-gen --help.\n", stderr);
	return -EINVAL;
}

static int set_command(Options *options, Command command, const char *name)
{
	if (options->command != COMMAND_GENERATE)
		return usage("only one of --check, --example and --stub can be asked for");
	options->command = command;
	options->name = name;
	return 0;
}

static int take_option(Options *options, int option)
{
	switch (option) {
	case 's':
		options->spec = optarg;
		return 0;
	case 'o':
		options->directory = optarg;
		return 0;
	case OPTION_CHECK:
		return set_command(options, COMMAND_CHECK, NULL);
	case OPTION_EXAMPLE:
		return set_command(options, COMMAND_EXAMPLE, optarg);
	case OPTION_STUB:
		return set_command(options, COMMAND_STUB, optarg);
	case OPTION_TEMPLATES:
		options->templates = optarg;
		return 0;
	default:
		return usage(NULL);
	}
}

int options_parse(int argc, char *argv[], Options *ret)
{
	Options options = { .spec = "ryu_spec.json", .directory = "." };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "s:o:hV", long_options, NULL)) >= 0) {
		int r;

		if (option == 'h' || option == 'V') {
			ret->command = option == 'h' ? COMMAND_HELP : COMMAND_VERSION;
			return 0;
		}
		r = take_option(&options, option);
		if (r < 0)
			return r;
	}
	if (optind < argc)
		return usage("unexpected argument: the spec is named by -s, the directory by -o");
	if (!*options.directory || !*options.spec)
		return usage("expected a name behind -s and -o; got nothing");
	*ret = options;
	return 0;
}
