/* Yours: written once by ryuso-gen, and never opened again. */
#include "gen/my_transaction_processing.h"

/** Hook prep_working_dir. */
ryuso_status util_directory_prepare(ryuso_run *run, const struct util_directory_prepare_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

