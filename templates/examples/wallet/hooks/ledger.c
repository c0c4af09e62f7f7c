/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Money in, money out. Deposit rectifies withdraw, and withdraw deposit: on the way back, each reverses what the step
 * has posted instead of posting anew. */
#include "gen/wallet.h"
#include "journal.h"
#include "store.h"

struct movement {
	struct posting posting;
	const char *account; /* whose balance is asked for */
	int64_t balance;
};

static ryuso_status move(ryuso_run *run, void *userdata)
{
	struct movement *movement = userdata;
	ryuso_status status;

	status = ryuso_rectifying(run) ? journal_reverse(run) : journal_post(run, &movement->posting);
	if (status != RYUSO_OK)
		return status;
	return journal_balance(run, movement->account, &movement->balance);
}

ryuso_status ledger_deposit(ryuso_run *run, const struct ledger_deposit_args *args, struct ledger_deposit_outputs *out)
{
	struct movement movement = {
		.posting = { "deposit", ACCOUNT_WORLD, args->account, args->amount },
		.account = args->account,
	};
	ryuso_status status;

	status = store_write(run, move, &movement);
	if (status == RYUSO_OK)
		ledger_deposit_set_balance(out, movement.balance);
	return status;
}

ryuso_status ledger_withdraw(ryuso_run *run, const struct ledger_withdraw_args *args,
			     struct ledger_withdraw_outputs *out)
{
	struct movement movement = {
		.posting = { "withdrawal", args->account, ACCOUNT_WORLD, args->amount },
		.account = args->account,
	};
	ryuso_status status;

	status = store_write(run, move, &movement);
	if (status == RYUSO_OK)
		ledger_withdraw_set_balance(out, movement.balance);
	return status;
}

static ryuso_status read_balance(ryuso_run *run, void *userdata)
{
	struct movement *movement = userdata;

	return journal_balance(run, movement->account, &movement->balance);
}

ryuso_status ledger_charge(ryuso_run *run, const struct ledger_charge_args *args, struct ledger_charge_outputs *out)
{
	struct movement movement = {
		.posting = { "fee", args->account, ACCOUNT_FEES, args->fee },
		.account = args->account,
	};
	ryuso_status status;

	status = args->fee == 0 ? store_read(run, read_balance, &movement) : store_write(run, move, &movement);
	if (status == RYUSO_OK)
		ledger_charge_set_balance(out, movement.balance);
	return status;
}

ryuso_status ledger_refund(ryuso_run *run, const struct ledger_refund_args *args, struct ledger_refund_outputs *out)
{
	struct movement movement = { .account = args->account };
	ryuso_status status;

	if (!ryuso_rectifying(run))
		return ryuso_fail(run, "NothingToUndo", "a fee is refunded only where its step is rectified");
	status = store_write(run, move, &movement);
	if (status == RYUSO_OK)
		ledger_refund_set_balance(out, movement.balance);
	return status;
}
