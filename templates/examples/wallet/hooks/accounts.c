/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts come and go. Open rectifies close, and close open: on the way back, each takes back what the step has done. */
#include <string.h>

#include "gen/wallet.h"
#include "journal.h"
#include "store.h"

#define NAME_MAX_BYTES 64
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

struct account {
	const char *name;
	int64_t balance;
};

static ryuso_status open_new(ryuso_run *run, const char *name)
{
	size_t size = strlen(name);
	ryuso_status status;
	int64_t closed;
	bool found;

	if (size == 0 || size > NAME_MAX_BYTES || strspn(name, NAME_LETTERS) != size)
		return ryuso_fail(run, "BadName", "expected 1 to %d letters, digits, '-', '_' or '.'; got %s",
				  NAME_MAX_BYTES, name);
	status = store_number(run, &closed, &found, "SELECT closed FROM accounts WHERE name = ?", "t", name);
	if (status != RYUSO_OK)
		return status;
	if (found)
		return ryuso_fail(run, "AccountExists", "there is an account %s already%s", name,
				  closed ? ", which is closed" : "");
	return store_change(run, "INSERT INTO accounts (name) VALUES (?)", "t", name);
}

/* An account that was used since cannot be removed: foreign keys see to that. */
static ryuso_status remove_opened(ryuso_run *run, const char *name)
{
	return store_change(run, "DELETE FROM accounts WHERE name = ?", "t", name);
}

static ryuso_status close_empty(ryuso_run *run, const char *name)
{
	ryuso_status status;
	int64_t balance = 0;

	status = journal_check_account(run, name);
	if (status == RYUSO_OK)
		status = journal_balance(run, name, &balance);
	if (status != RYUSO_OK)
		return status;
	if (balance != 0)
		return ryuso_fail(run, "AccountNotEmpty", "%s still has %" PRId64, name, balance);
	return store_change(run, "UPDATE accounts SET closed = 1 WHERE name = ?", "t", name);
}

static ryuso_status reopen_closed(ryuso_run *run, const char *name)
{
	return store_change(run, "UPDATE accounts SET closed = 0 WHERE name = ?", "t", name);
}

static ryuso_status open_account(ryuso_run *run, void *userdata)
{
	struct account *account = userdata;
	bool undo = ryuso_rectifying(run);
	ryuso_status status;
	bool fresh;

	status = undo ? journal_enter_undo(run, &fresh) : journal_enter(run, "open", &fresh);
	if (status == RYUSO_OK && fresh)
		status = undo ? reopen_closed(run, account->name) : open_new(run, account->name);
	if (status != RYUSO_OK)
		return status;
	return journal_balance(run, account->name, &account->balance);
}

static ryuso_status close_account(ryuso_run *run, void *userdata)
{
	struct account *account = userdata;
	bool undo = ryuso_rectifying(run);
	ryuso_status status;
	bool fresh;

	status = undo ? journal_enter_undo(run, &fresh) : journal_enter(run, "close", &fresh);
	if (status != RYUSO_OK || !fresh)
		return status;
	return undo ? remove_opened(run, account->name) : close_empty(run, account->name);
}

ryuso_status accounts_open(ryuso_run *run, const struct accounts_open_args *args, struct accounts_open_outputs *out)
{
	struct account account = { .name = args->account };
	ryuso_status status;

	status = store_write(run, open_account, &account);
	if (status == RYUSO_OK)
		accounts_open_set_balance(out, account.balance);
	return status;
}

ryuso_status accounts_close(ryuso_run *run, const struct accounts_close_args *args)
{
	struct account account = { .name = args->account };

	return store_write(run, close_account, &account);
}
