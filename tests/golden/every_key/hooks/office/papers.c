/* Yours: written once by ryuso-gen, and never opened again. */
#include <json-c/json.h>

#include "gen/every_key.h"

/** Hook insure. */
ryuso_status office_papers_insure(ryuso_run *run, const struct office_papers_insure_args *args,
				  struct office_papers_insure_outputs *out)
{
	(void)args;
	(void)out;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

