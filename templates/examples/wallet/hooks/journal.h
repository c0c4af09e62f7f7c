/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has happened, entry by entry, each under the token of the call that made it. All of this is called inside
 * store_write().
 *
 * A call that is made again finds its own token and does nothing. A rectifier finds what its step did under the step's
 * token and reverses that, whatever the arguments say by now. Where it finds nothing, the step never took effect: the
 * token is then entered as void, so that it never will. */
#pragma once

#include <ryuso/hook.h>

#define ACCOUNT_WORLD "@world"
#define ACCOUNT_FEES "@fees"
#define AMOUNT_MAX INT64_C(1000000000000000)

/** \brief Money that goes from one account to another. */
struct posting {
	const char *kind; /* "deposit" */
	const char *from;
	const char *to;
	int64_t amount; /* in cents, more than 0 */
};

/** \brief Enters this call. \p ret_fresh: whether its effect is still to be had (else this is a repeat). */
ryuso_status journal_enter(ryuso_run *run, const char *kind, bool *ret_fresh);
/** \brief Enters this call as the undoing of the step that it rectifies. \p ret_fresh: whether there is an effect that
 * is still to be reversed. */
ryuso_status journal_enter_undo(ryuso_run *run, bool *ret_fresh);

/** \brief Enters this call and moves the money. */
ryuso_status journal_post(ryuso_run *run, const struct posting *posting);
/** \brief Moves back what the step that this call rectifies has moved. */
ryuso_status journal_reverse(ryuso_run *run);
/** \brief What is in an account; 0 where there is none of that name. */
ryuso_status journal_balance(ryuso_run *run, const char *account, int64_t *ret);
/** \brief Fails with UnknownAccount or AccountClosed where customers cannot use \p account. */
ryuso_status journal_check_account(ryuso_run *run, const char *account);
