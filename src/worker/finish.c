/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell/result.h"
#include "worker/perform.h"

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
	return run_record(run, RECORD_FINISH);
}
