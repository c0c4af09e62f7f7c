/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <string.h>

#include "store.h"

ryuso_status journal_enter(ryuso_run *run, const char *kind, bool *ret_fresh)
{
	const char *token = ryuso_token(run);
	int64_t is_void = 0;
	ryuso_status status;
	bool found;

	status = store_number(run, &is_void, &found, "SELECT kind = 'void' FROM entries WHERE token = ?", "t", token);
	if (status != RYUSO_OK)
		return status;
	if (found && is_void)
		return ryuso_fail(run, "Undone", "this %s was undone before it happened", kind);
	*ret_fresh = !found;
	if (found)
		return RYUSO_OK;
	return store_change(run, "INSERT INTO entries (token, kind) VALUES (?, ?)", "tt", token, kind);
}

ryuso_status journal_enter_undo(ryuso_run *run, bool *ret_fresh)
{
	const char *undone = ryuso_undone_token(run);
	int64_t is_void = 0, number;
	ryuso_status status;
	bool repeated;
	bool found;

	status = store_number(run, &number, &repeated, "SELECT 1 FROM entries WHERE token = ?", "t", ryuso_token(run));
	if (status == RYUSO_OK)
		status = store_change(run, "INSERT OR IGNORE INTO entries (token, kind) VALUES (?, 'void')", "t",
				      undone);
	if (status == RYUSO_OK)
		status = store_number(run, &is_void, &found, "SELECT kind = 'void' FROM entries WHERE token = ?", "t",
				      undone);
	if (status != RYUSO_OK)
		return status;
	*ret_fresh = !repeated && !is_void;
	if (repeated)
		return RYUSO_OK;
	return store_change(run, "INSERT INTO entries (token, kind, undoes) VALUES (?, 'undo', ?)", "tt",
			    ryuso_token(run), undone);
}

ryuso_status journal_check_account(ryuso_run *run, const char *account)
{
	ryuso_status status;
	int64_t closed;
	bool found;

	status = store_number(run, &closed, &found, "SELECT closed FROM accounts WHERE name = ?", "t", account);
	if (status != RYUSO_OK)
		return status;
	if (!found || account[0] == '@')
		return ryuso_fail(run, "UnknownAccount", "no such account: %s", account);
	if (closed)
		return ryuso_fail(run, "AccountClosed", "the account is closed: %s", account);
	return RYUSO_OK;
}

ryuso_status journal_balance(ryuso_run *run, const char *account, int64_t *ret)
{
	int64_t balance = 0;
	ryuso_status status;
	bool found;

	status = store_number(run, &balance, &found, "SELECT balance FROM accounts WHERE name = ?", "t", account);
	if (status == RYUSO_OK)
		*ret = found ? balance : 0;
	return status;
}

static bool is_house(const char *account)
{
	return account[0] == '@';
}

static ryuso_status check_posting(ryuso_run *run, const struct posting *posting)
{
	const char *customer = is_house(posting->from) ? posting->to : posting->from;
	ryuso_status status;
	int64_t balance = 0;

	if (posting->amount <= 0 || posting->amount > AMOUNT_MAX)
		return ryuso_fail(run, "BadAmount", "expected an amount from 1 to %" PRId64 ", got %" PRId64,
				  AMOUNT_MAX, posting->amount);
	status = journal_check_account(run, customer);
	if (status != RYUSO_OK || is_house(posting->from))
		return status;
	status = journal_balance(run, customer, &balance);
	if (status == RYUSO_OK && balance < posting->amount)
		return ryuso_fail(run, "InsufficientFunds", "%s has %" PRId64 ", and %" PRId64 " is asked for",
				  customer, balance, posting->amount);
	return status;
}

ryuso_status journal_post(ryuso_run *run, const struct posting *posting)
{
	ryuso_status status;
	bool fresh;

	status = journal_enter(run, posting->kind, &fresh);
	if (status != RYUSO_OK || !fresh)
		return status;
	status = check_posting(run, posting);
	if (status != RYUSO_OK)
		return status;
	return store_change(run, "INSERT INTO postings (token, account, amount) VALUES (?1, ?2, -?4), (?1, ?3, ?4)",
			    "ttti", ryuso_token(run), posting->from, posting->to, posting->amount);
}

ryuso_status journal_reverse(ryuso_run *run)
{
	ryuso_status status;
	bool fresh;

	status = journal_enter_undo(run, &fresh);
	if (status != RYUSO_OK || !fresh)
		return status;
	return store_change(run,
			    "INSERT INTO postings (token, account, amount)"
			    " SELECT ?1, account, -amount FROM postings WHERE token = ?2",
			    "tt", ryuso_token(run), ryuso_undone_token(run));
}
