/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bank that forgets everything: what is asked for says how it ends. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen/teller.h"

#define BALANCE 100

ryuso_status desk_debit(ryuso_run *run, const struct desk_debit_args *args, struct desk_debit_outputs *out)
{
	if (args->amount > BALANCE)
		return ryuso_fail(run, "NotEnough", "%s has %d", args->account, BALANCE);
	desk_debit_set_balance(out, BALANCE - args->amount);
	return RYUSO_OK;
}

ryuso_status desk_pay_back(ryuso_run *run, const struct desk_pay_back_args *args)
{
	if (strcmp(args->account, "frozen") == 0)
		return ryuso_fail(run, "AccountFrozen", "%s takes no money", args->account);
	return RYUSO_OK;
}

ryuso_status desk_credit(ryuso_run *run, const struct desk_credit_args *args)
{
	while (args->_gate && access(args->_gate, F_OK) < 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	if (strcmp(args->account, "nowhere") == 0)
		return ryuso_fail(run, "UnknownAccount", "no such account: %s", args->account);
	return RYUSO_OK;
}
