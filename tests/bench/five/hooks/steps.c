/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/five.h"

ryuso_status steps_add(ryuso_run *run, const struct steps_add_args *args, struct steps_add_outputs *out)
{
	if (steps_add_set_n(out, args->n + 1) < 0)
		return ryuso_fail(run, "NoMemory", "cannot set n");
	return RYUSO_OK;
}
