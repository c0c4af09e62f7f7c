/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wallet's hooks, called one by one as ryuso-worker would call them: the same call again, undone, undone twice,
 * undone before it happened. test_wallet.py builds this and says which module (WALLET_MODULE) and file (WALLET_DB). */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <ryuso/host.h>
#include <ryuso/module.h>

#include "tests/check_main.h"

#define ARGS_MAX 3

/* One call: what it is handed, and what came of it. */
typedef struct Call {
	struct ryuso_value args[ARGS_MAX];
	int64_t balance;
	bool has_balance;
	struct ryuso_run run;
} Call;

static const struct ryuso_module *module;

static int on_argument(void *host, unsigned arg, struct ryuso_value *ret)
{
	Call *call = host;

	if (arg >= ARGS_MAX || call->args[arg].type == RYUSO_VALUE_NONE)
		return 0;
	*ret = call->args[arg];
	return 1;
}

static int on_output(void *host, unsigned output, const struct ryuso_value *value)
{
	Call *call = host;

	if (output == 0 && value->type == RYUSO_VALUE_INT) {
		call->balance = value->integer;
		call->has_balance = true;
	}
	return 0;
}

static int on_get(void *host, const char *key, struct ryuso_value *ret)
{
	(void)host;
	(void)key;
	(void)ret;
	return -ENODATA;
}

static int on_set(void *host, const char *key, const struct ryuso_value *value)
{
	(void)host;
	(void)key;
	(void)value;
	return -EINVAL;
}

static int on_note(void *host, const char *key, const void *data, size_t size)
{
	(void)host;
	(void)key;
	(void)data;
	(void)size;
	return -E2BIG;
}

static int on_noted(void *host, const char *key, const void **ret_data, size_t *ret_size)
{
	(void)host;
	(void)key;
	(void)ret_data;
	(void)ret_size;
	return -ENODATA;
}

static int on_log(void *host, int level, const char *text)
{
	(void)host;
	(void)level;
	(void)text;
	return 0;
}

static const struct ryuso_host host_calls = {
	.argument = on_argument,
	.set_output = on_output,
	.get = on_get,
	.set = on_set,
	.note = on_note,
	.noted = on_noted,
	.log = on_log,
};

static const struct ryuso_module_function *function(const char *reference)
{
	for (uint32_t i = 0; i < module->n_functions; i++)
		if (strcmp(module->functions[i].reference, reference) == 0)
			return &module->functions[i];
	ck_abort_msg("the module has no %s", reference);
	return NULL;
}

/* Calls \p reference for \p account; \p undone: the token of the step that it rectifies, or NULL. */
static ryuso_status call(Call *ret, const char *reference, const char *token, const char *undone, const char *account,
			 int64_t amount)
{
	ryuso_status status;

	*ret = (Call){
		.args = { { .type = RYUSO_VALUE_STRING, .string = account },
			  { .type = RYUSO_VALUE_INT, .integer = amount } },
		.run = { .calls = &host_calls,
			 .hook_name = "test",
			 .step = 1,
			 .attempt = 1,
			 .rectifying = undone != NULL },
	};
	ret->run.host = ret;
	snprintf(ret->run.token, sizeof(ret->run.token), "%s", token);
	snprintf(ret->run.undone_token, sizeof(ret->run.undone_token), "%s", undone ? undone : "");
	ck_assert_int_eq(ryuso_host_enter(&ret->run), 0);
	status = function(reference)->call(&ret->run);
	ck_assert_int_eq(ryuso_host_enter(NULL), 0);
	return status;
}

static void assert_ok(const char *reference, const char *token, const char *undone, const char *account, int64_t amount)
{
	Call made;
	ryuso_status status = call(&made, reference, token, undone, account, amount);

	ck_assert_msg(status == RYUSO_OK, "%s: %s: %s", reference, made.run.reason, made.run.message);
}

static void assert_balance(const char *reference, const char *token, const char *undone, const char *account,
			   int64_t amount, int64_t balance)
{
	Call made;
	ryuso_status status = call(&made, reference, token, undone, account, amount);

	ck_assert_msg(status == RYUSO_OK, "%s: %s: %s", reference, made.run.reason, made.run.message);
	ck_assert(made.has_balance);
	ck_assert_int_eq(made.balance, balance);
}

static void assert_fails(const char *reason, const char *reference, const char *token, const char *undone,
			 const char *account, int64_t amount)
{
	Call made;

	ck_assert_int_eq(call(&made, reference, token, undone, account, amount), RYUSO_FAILED);
	ck_assert_str_eq(made.run.reason, reason);
}

#define OPEN "wallet.accounts.open"
#define CLOSE "wallet.accounts.close"
#define DEPOSIT "wallet.ledger.deposit"
#define WITHDRAW "wallet.ledger.withdraw"
#define CHARGE "wallet.ledger.charge"
#define REFUND "wallet.ledger.refund"

/* A new file, with an account "main" that has 100. */
static void set_up(void)
{
	const char *path = getenv("WALLET_DB");
	char message[512] = "";
	char journal[4096];
	void *object;

	ck_assert_ptr_nonnull(path);
	remove(path);
	snprintf(journal, sizeof(journal), "%s-wal", path);
	remove(journal);
	snprintf(journal, sizeof(journal), "%s-shm", path);
	remove(journal);
	object = dlopen(getenv("WALLET_MODULE"), RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(object != NULL, "%s", dlerror());
	module = dlsym(object, RYUSO_MODULE_SYMBOL);
	ck_assert_ptr_nonnull(module);
	ck_assert_msg(module->open(message, sizeof(message)) == 0, "%s", message);
	assert_balance(OPEN, "opening", NULL, "main", 0, 0);
	assert_balance(DEPOSIT, "first", NULL, "main", 100, 100);
}

START_TEST(a_call_that_is_made_again_books_once)
{
	set_up();
	assert_balance(DEPOSIT, "d", NULL, "main", 10, 110);
	assert_balance(DEPOSIT, "d", NULL, "main", 10, 110);
	assert_balance(WITHDRAW, "w", NULL, "main", 30, 80);
	assert_balance(WITHDRAW, "w", NULL, "main", 30, 80);
	assert_balance(CHARGE, "c", NULL, "main", 1, 79);
	assert_balance(CHARGE, "c", NULL, "main", 1, 79);
	assert_balance(OPEN, "opening", NULL, "main", 0, 79);
}
END_TEST

START_TEST(an_undo_reverses_what_its_step_has_booked_whatever_it_is_told)
{
	set_up();
	assert_balance(DEPOSIT, "d", NULL, "main", 10, 110);
	assert_balance(WITHDRAW, "u", "d", "main", 99999, 100);
	assert_balance(WITHDRAW, "w", NULL, "main", 30, 70);
	assert_balance(DEPOSIT, "v", "w", "main", 1, 100);
	assert_balance(CHARGE, "c", NULL, "main", 5, 95);
	assert_balance(REFUND, "r", "c", "main", 0, 100);
}
END_TEST

START_TEST(an_undo_that_is_made_again_reverses_once)
{
	set_up();
	assert_balance(DEPOSIT, "d", NULL, "main", 10, 110);
	assert_balance(WITHDRAW, "u", "d", "main", 10, 100);
	assert_balance(WITHDRAW, "u", "d", "main", 10, 100);
}
END_TEST

START_TEST(a_step_that_was_undone_before_it_happened_never_happens)
{
	set_up();
	assert_balance(WITHDRAW, "u", "d", "main", 10, 100);
	assert_balance(WITHDRAW, "u", "d", "main", 10, 100);
	assert_fails("Undone", DEPOSIT, "d", NULL, "main", 10);
	assert_balance(DEPOSIT, "v", "w", "nobody", 10, 0);
}
END_TEST

START_TEST(an_undo_that_would_overdraw_the_account_fails_and_can_be_made_later)
{
	set_up();
	assert_balance(DEPOSIT, "d", NULL, "main", 10, 110);
	assert_balance(WITHDRAW, "w", NULL, "main", 105, 5);
	assert_fails("InsufficientFunds", WITHDRAW, "u", "d", "main", 10);
	assert_balance(DEPOSIT, "e", NULL, "main", 20, 25);
	assert_balance(WITHDRAW, "u", "d", "main", 10, 15);
}
END_TEST

START_TEST(what_fails_leaves_nothing_behind)
{
	set_up();
	assert_fails("InsufficientFunds", WITHDRAW, "w", NULL, "main", 101);
	assert_balance(WITHDRAW, "w", NULL, "main", 100, 0);
	assert_fails("BadAmount", DEPOSIT, "d", NULL, "main", -1);
	assert_fails("BadAmount", DEPOSIT, "d", NULL, "main", INT64_MAX);
	assert_fails("UnknownAccount", DEPOSIT, "d", NULL, "nobody", 1);
	assert_balance(DEPOSIT, "d", NULL, "main", 1, 1);
}
END_TEST

START_TEST(an_opening_is_undone_and_a_closing_too)
{
	set_up();
	assert_ok(OPEN, "o", NULL, "new", 0);
	assert_ok(CLOSE, "p", "o", "new", 0);
	assert_ok(CLOSE, "p", "o", "new", 0);
	assert_fails("UnknownAccount", DEPOSIT, "d", NULL, "new", 1);
	assert_ok(OPEN, "q", NULL, "new", 0);
	assert_ok(CLOSE, "c", NULL, "new", 0);
	assert_fails("AccountClosed", DEPOSIT, "d", NULL, "new", 1);
	assert_ok(OPEN, "r", "c", "new", 0);
	assert_balance(DEPOSIT, "d", NULL, "new", 1, 1);
	assert_fails("StoreFailed", CLOSE, "s", "q", "new", 0);
}
END_TEST

START_TEST(money_does_not_come_back_to_a_closed_account)
{
	set_up();
	assert_balance(WITHDRAW, "w", NULL, "main", 100, 0);
	assert_ok(CLOSE, "c", NULL, "main", 0);
	assert_fails("AccountClosed", DEPOSIT, "u", "w", "main", 100);
	assert_ok(OPEN, "o", "c", "main", 0);
	assert_balance(DEPOSIT, "u", "w", "main", 100, 100);
}
END_TEST

START_TEST(a_fee_of_nothing_books_nothing_and_a_refund_needs_a_step)
{
	set_up();
	assert_balance(CHARGE, "c", NULL, "main", 0, 100);
	assert_balance(REFUND, "r", "c", "main", 0, 100);
	assert_fails("BadAmount", CHARGE, "d", NULL, "main", -1);
	assert_fails("NothingToUndo", REFUND, "s", NULL, "main", 0);
}
END_TEST

CHECK_MAIN(wallet, a_call_that_is_made_again_books_once, an_undo_reverses_what_its_step_has_booked_whatever_it_is_told,
	   an_undo_that_is_made_again_reverses_once, a_step_that_was_undone_before_it_happened_never_happens,
	   an_undo_that_would_overdraw_the_account_fails_and_can_be_made_later, what_fails_leaves_nothing_behind,
	   an_opening_is_undone_and_a_closing_too, money_does_not_come_back_to_a_closed_account,
	   a_fee_of_nothing_books_nothing_and_a_refund_needs_a_step)
