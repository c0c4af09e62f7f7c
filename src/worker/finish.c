/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell/result.h"
#include "worker/perform.h"

/* Of a long batch the daemon answers the first runs while the last are performed. What waits for a sync waits for the
 * end of the batch: one sync for all. */
static int tell_meanwhile(Run *run)
{
	Worker *worker = run->worker;

	if (run->durable || ++worker->unheard < PERFORM_RING_RUNS)
		return 0;
	return worker_ring(worker);
}

int run_finish(Run *run)
{
	Worker *worker = run->worker;
	RecordFinish finish = {
		.run = run->id,
		.status = walk_status(run->replay.walk),
		.usec = run->replay.now_usec,
		.n_records = run->replay.n_records + 1,
		.n_syncs = run->n_syncs,
	};
	WalkError error;
	int r;

	r = run_decline_rest(run);
	if (r < 0)
		return r;
	buffer_clear(&worker->reply);
	r = result_write(run->replay.walk, run->replay.plan, &worker->reply, &error);
	if (r < 0)
		return r;
	finish.error = error.code;
	finish.error_step = error.step;
	finish.reply = (const char *)worker->reply.data;
	finish.reply_size = worker->reply.size;
	buffer_clear(&worker->content);
	record_encode_finish(&finish, &worker->content);
	r = run_record(run, RECORD_FINISH);
	return r < 0 ? r : tell_meanwhile(run);
}
