/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ryuso-gen: from a spec to a C project. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/example.h"
#include "gen/options.h"
#include "gen/project.h"

static int run(const Options *options, Report *report)
{
	switch (options->command) {
	case COMMAND_CHECK:
		return project_check(options, report);
	case COMMAND_EXAMPLE:
		return example_copy(options, report);
	case COMMAND_STUB:
		return project_stub(options, report);
	default:
		return project_generate(options, report);
	}
}

int main(int argc, char *argv[])
{
	_cleanup_report_ Report report = { 0 };
	Options options;
	int r, s;

	if (options_parse(argc, argv, &options) < 0)
		return EXIT_USAGE;
	if (options.command == COMMAND_HELP || options.command == COMMAND_VERSION) {
		fputs(options.command == COMMAND_HELP ? options_help : "ryuso-gen " PACKAGE_VERSION "\n", stdout);
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	r = run(&options, &report);
	s = report_print(&report);
	if (r < 0 && r != -EBADMSG)
		fprintf(stderr, "ryuso-gen: %s\n", strerror(-r));
	else if (r == 0 && s < 0)
		fprintf(stderr, "ryuso-gen: cannot write what there is to say: %s\n", strerror(-s));
	return r < 0 || s < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
