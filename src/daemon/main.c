/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "daemon/manager.h"

int main(int argc, char **argv)
{
	Manager manager;
	Options options;
	int r, status = EXIT_FAILURE;

	if (options_parse(argc, argv, &options, &status) != 0)
		return status;
	r = manager_init(&manager, &options);
	if (r >= 0)
		r = manager_run(&manager);
	manager_done(&manager);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
