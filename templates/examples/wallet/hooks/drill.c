/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drills. In a fire drill a hook dies where a real one might, just before its booking is committed or just after, and
 * cannot say which; its rectifier finds out by the token. The other two end as an operator has to see them once: parked,
 * because a rectifier cannot do its work, and because something that nothing reverses is in doubt. */
#include <stdlib.h>
#include <unistd.h>

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

ryuso_status drill_put_in_order(ryuso_run *run, const struct drill_put_in_order_args *args)
{
	ryuso_log(run, RYUSO_INFO, "nothing is undone while there is a file %s", args->obstacle);
	return RYUSO_OK;
}

ryuso_status drill_clear_away(ryuso_run *run, const struct drill_clear_away_args *args)
{
	if (access(args->obstacle, F_OK) == 0)
		return ryuso_fail(run, "Blocked", "%s is in the way", args->obstacle);
	return RYUSO_OK;
}

ryuso_status drill_fail_on_purpose(ryuso_run *run, const struct drill_fail_on_purpose_args *args)
{
	return ryuso_fail(run, "Drill", "on purpose; whether that can be undone depends on %s", args->obstacle);
}

ryuso_status drill_post_letter(ryuso_run *run, const struct drill_post_letter_args *args)
{
	ryuso_log(run, RYUSO_WARNING, "a drill: crashing while a letter to %s is posted", args->to);
	abort();
}
