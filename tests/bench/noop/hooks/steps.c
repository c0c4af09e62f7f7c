/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/noop.h"

ryuso_status steps_add(ryuso_run *run, const struct steps_add_args *args, struct steps_add_outputs *out)
{
	(void)run;
	steps_add_set_n(out, args->n + 1);
	return RYUSO_OK;
}
