/* Yours: written once by ryuso-gen, and never opened again. */
#include <json-c/json.h>

#include "gen/my_transaction_processing.h"

/** Hook commit_balance. */
ryuso_status balance_commit(ryuso_run *run, const struct balance_commit_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

/** Hook undo_commit_balance. */
ryuso_status balance_undo(ryuso_run *run, const struct balance_undo_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

/** Hook unwrap_tx_data. */
ryuso_status balance_unwrap(ryuso_run *run, const struct balance_unwrap_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

