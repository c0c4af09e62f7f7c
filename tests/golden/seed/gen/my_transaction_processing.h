/* The hooks of My transaction processing. Written by ryuso-gen, anew whenever the spec changes: change the spec, not this. */
#ifndef RYUSO_GEN_MY_TRANSACTION_PROCESSING_H
#define RYUSO_GEN_MY_TRANSACTION_PROCESSING_H

#include <ryuso/hook.h>

#ifdef __cplusplus
extern "C" {
#endif

/* my_transaction_processing.util.math.is_prime */

struct util_math_is_prime_args {
	int64_t amount;
};

/** Hook check_balance: Checks whether the user's balance is > 5 and fails otherwise */
ryuso_status util_math_is_prime(ryuso_run *run, const struct util_math_is_prime_args *args);

/* my_transaction_processing.util.directory.prepare */

struct util_directory_prepare_args {
	char none; /* it declares no arguments, and C knows no empty structure */
};

/** Hook prep_working_dir. */
ryuso_status util_directory_prepare(ryuso_run *run, const struct util_directory_prepare_args *args);

/* my_transaction_processing.balance.commit */

struct balance_commit_args {
	int64_t amount;
	/** Optional: NULL where it is absent. */
	const bool *generate;
	/** Optional: NULL where it is absent. */
	const char *note;
	/** Optional: NULL where it is absent. */
	const double *rate;
	/** A list. Optional: NULL where it is absent. */
	struct json_object *parts;
	/** A dict. Optional: NULL where it is absent. */
	struct json_object *more;
};

/** Hook commit_balance. */
ryuso_status balance_commit(ryuso_run *run, const struct balance_commit_args *args);

/* my_transaction_processing.balance.undo */

struct balance_undo_args {
	int64_t amount;
};

/** Hook undo_commit_balance. */
ryuso_status balance_undo(ryuso_run *run, const struct balance_undo_args *args);

/* my_transaction_processing.balance.unwrap */

struct balance_unwrap_args {
	char none; /* it declares no arguments, and C knows no empty structure */
};

/** Hook unwrap_tx_data. */
ryuso_status balance_unwrap(ryuso_run *run, const struct balance_unwrap_args *args);

#ifdef __cplusplus
}
#endif

#endif
