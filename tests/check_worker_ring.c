/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When ryuso-worker says that there is something to be read. */
#include "check_main.h"
#include "worker/perform.h"
#include "worker_story.h"

/* As many runs at once, and one by itself. */
static void perform_batch(Host *host, uint32_t flags, unsigned n, uint64_t rings)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	unsigned finished = 0;
	Record record;

	for (unsigned i = 0; i < n; i++)
		order_with(flags, "plain", (uint8_t)i, NULL, 0, &orders);
	host_send(host, &orders);
	while (finished < n && host_next(host, &record))
		finished += record.kind == RECORD_FINISH;
	ck_assert_uint_eq(finished, n);
	while (host->rings < rings)
		host_round(host);
}

static void rings_for(uint32_t flags, unsigned n, uint64_t expected)
{
	Host host;

	host_init(&host, "play");
	begin(&host);
	perform_batch(&host, flags, n, expected);
	perform_batch(&host, flags, 1, expected + 1);
	ck_assert_uint_eq(host.rings, expected + 1);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}

/* Once for so many runs, and when nothing is left; for those that wait for a sync, the latter alone. */
START_TEST(the_doorbell_rings_within_a_long_batch)
{
	rings_for(RECORD_FLAG_PROCESS, 3 * PERFORM_RING_RUNS - 1, 3);
	rings_for(RECORD_FLAG_PROCESS, PERFORM_RING_RUNS - 1, 1);
	rings_for(0, 2 * PERFORM_RING_RUNS, 1);
}
END_TEST

CHECK_MAIN(worker_ring, the_doorbell_rings_within_a_long_batch)
