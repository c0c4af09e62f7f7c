/* Yours: written once by ryuso-gen, and never opened again. */
#include "gen/every_key.h"

/** Hook send. */
ryuso_status office_send(ryuso_run *run, const struct office_send_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

