/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/point.h"
#include "worker/worker.h"

/* Started by ryusod alone, with descriptors and numbers that it has checked. */
static const struct option long_options[] = {
	{ "pool-max", required_argument, NULL, 'p' },
	{ "notes-max", required_argument, NULL, 'n' },
	{ "rectified-max", required_argument, NULL, 'r' },
	{ "memory", required_argument, NULL, 'm' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int usage(void)
{
	fprintf(stderr, "ryuso-worker is started by ryusod; see ryusod(8)\n");
	return 64;
}

int main(int argc, char **argv)
{
	WorkerOptions options = {
		.caps = { .pool = 1U << 20, .notes = 64U << 10, .rectified = 256U << 10 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		size_t number = option == 'V' || option == '?' ? 0 : strtoull(optarg, NULL, 10);

		switch (option) {
		case 'p':
			options.caps.pool = number;
			break;
		case 'n':
			options.caps.notes = number;
			break;
		case 'r':
			options.caps.rectified = number;
			break;
		case 'm':
			options.memory = number;
			break;
		case 'V':
			printf("ryuso-worker %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return usage();
		}
	}
	if (optind != argc)
		return usage();
	point_init(POINT_WORKER);
	return worker_main(&options);
}
