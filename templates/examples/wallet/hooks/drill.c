/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fire drill: this hook dies where a real one might, just before its booking is committed or just after, and cannot
 * say which. Its rectifier finds out by the token. */
#include <stdlib.h>

#include "gen/wallet.h"
#include "journal.h"
#include "store.h"

struct drill {
	struct posting posting;
	bool booked;
};

static ryuso_status give(ryuso_run *run, void *userdata)
{
	struct drill *drill = userdata;
	ryuso_status status;

	status = journal_post(run, &drill->posting);
	if (status == RYUSO_OK && !drill->booked)
		abort();
	return status;
}

ryuso_status drill_give_and_crash(ryuso_run *run, const struct drill_give_and_crash_args *args)
{
	struct drill drill = {
		.posting = { "deposit", ACCOUNT_WORLD, args->account, args->amount },
		.booked = args->booked,
	};
	ryuso_status status;

	ryuso_log(run, RYUSO_WARNING, "a fire drill: crashing %s the booking", args->booked ? "after" : "before");
	status = store_write(run, give, &drill);
	if (status != RYUSO_OK)
		return status;
	abort();
}
