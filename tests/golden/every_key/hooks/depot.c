/* Yours: written once by ryuso-gen, and never opened again. */
#include <json-c/json.h>

#include "gen/every_key.h"

/** Hook pack: Packs. */
ryuso_status depot_pack(ryuso_run *run, const struct depot_pack_args *args,
			struct depot_pack_outputs *out)
{
	(void)args;
	(void)out;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

/** Hook unpack. */
ryuso_status depot_unpack(ryuso_run *run, const struct depot_unpack_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

