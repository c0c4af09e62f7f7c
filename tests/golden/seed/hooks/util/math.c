/* Yours: written once by ryuso-gen, and never opened again. */
#include "gen/my_transaction_processing.h"

/** Hook check_balance: Checks whether the user's balance is > 5 and fails otherwise */
ryuso_status util_math_is_prime(ryuso_run *run, const struct util_math_is_prime_args *args)
{
	(void)args;
	return ryuso_fail(run, "NotWritten", "%s() is not written yet", __func__);
}

