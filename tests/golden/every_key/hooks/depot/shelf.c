/* Yours: written once by ryuso-gen, and never opened again. */
#include <json-c/json.h>

#include "gen/every_key.h"

/** Hook reserve, reserve_again: Serves two hooks. */
ryuso_status depot_shelf_reserve(ryuso_run *run, const struct depot_shelf_reserve_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

