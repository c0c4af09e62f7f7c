/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/parking_private.h"
#include "daemon/stored_reply.h"

void parked_run_done(ParkedRun *run)
{
	free(run->program);
	free(run->build_id);
	free(run->request_id);
	buffer_done(&run->records);
	buffer_done(&run->reply);
	*run = (ParkedRun){ 0 };
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

/* LedgerOnRun */
static int on_parked(void *context, const LedgerRun *found)
{
	ParkedRun *run = context;
	int r;

	*run = (ParkedRun){
		.id = found->run,
		.module = found->module,
		.fingerprint = found->fingerprint,
		.uid = found->uid,
		.gid = found->gid,
		.pid = found->pid,
		.flags = found->flags,
		.step = found->step,
		.submitted_usec = found->submitted_usec,
		.promised = found->promised,
		.error = found->error,
	};
	r = copy_text(found->program, &run->program);
	if (r >= 0)
		r = copy_text(found->build_id, &run->build_id);
	if (r >= 0)
		r = copy_text(found->request_id, &run->request_id);
	buffer_append(&run->records, found->records, found->records_size);
	buffer_append(&run->reply, found->reply, found->reply_size);
	if (r >= 0 && (buffer_error(&run->records) < 0 || buffer_error(&run->reply) < 0))
		r = -ENOMEM;
	if (r < 0)
		parked_run_done(run);
	return r;
}

/* The ledger is being told of it. */
static int load_from_memory(const Run *run, ParkedRun *ret)
{
	_cleanup_json_ struct json_object *reply = NULL;
	const LedgerRun told = {
		.run = run->id,
		.uid = run->peer.uid,
		.gid = run->peer.gid,
		.pid = (uint32_t)run->peer.pid,
		.request_id = run->request_id,
		.fingerprint = run->fingerprint,
		.program = run->program->spec->name,
		.module = run->catalog->identity,
		.build_id = run->catalog->build_id,
		.flags = run->process ? LEDGER_FLAG_PROCESS : 0,
		.step = run->error_step,
		.submitted_usec = run->submitted_usec,
		.promised = run->promised,
		.error = run->error,
		.records = run->records.data,
		.records_size = run->records.size,
		.reply = (const char *)run->reply.data,
		.reply_size = run->reply.size,
	};
	int r;

	r = on_parked(ret, &told);
	if (r < 0)
		return r;
	/* what made it fail is another thing than where it stands */
	reply = parked_run_reply(ret);
	stored_reply_stand(reply, &ret->step, &ret->error);
	return 0;
}

int parked_run_load(const Parking *parking, const Id *id, ParkedRun *ret)
{
	const Run *run = outcomes_find(parking->crew->setup.outcomes, id);

	if (run)
		return run->status == WALK_PARKED && run->answered && run->records.size > 0 ? load_from_memory(run, ret)
											    : -ESTALE;
	return ledger_unpark(parking->promises->ledger, id, on_parked, ret);
}

int parked_run_start(const ParkedRun *run, RecordStart *ret)
{
	size_t offset = 0;
	Record record;

	if (record_unpack(run->records.data, run->records.size, &offset, &record) <= 0 || record.kind != RECORD_START)
		return -EBADMSG;
	return record_decode_start(&record, ret);
}

struct json_object *parked_run_reply(const ParkedRun *run)
{
	return stored_reply_read(run->reply.data, run->reply.size);
}

const Catalog *parked_run_catalog(const Parking *parking, const ParkedRun *run, uint32_t flags)
{
	_cleanup_free_ char *problem = NULL;

	if (flags & LEDGER_DECISION_CURRENT_MODULE)
		return parking->crew->catalog;
	return crew_catalog(parking->crew, &run->module, &problem);
}

int parked_run_replay(const ParkedRun *run, const Catalog *catalog, Replay *ret)
{
	const CatalogProgram *program = run->program ? catalog_program(catalog, run->program) : NULL;

	if (!program)
		return -ENOENT;
	return replay_packed(ret, program->plan, run->records.data, run->records.size);
}

bool parked_run_is_lost(const Parking *parking, const ParkedRun *run)
{
	_cleanup_replay_ Replay replay = { 0 };
	const Catalog *catalog = parked_run_catalog(parking, run, 0);
	int r;

	if (!catalog)
		return true;
	r = parked_run_replay(run, catalog, &replay);
	return r == -EBADMSG || r == -ENOENT;
}

static const SpecHook *hook_at(const Plan *plan, uint32_t op)
{
	return op < plan->n_ops ? plan->ops[op].hook : NULL;
}

/* A call that was recorded is the same call in both plans. */
static bool is_same_call(const Plan *own, const Plan *other, const RecordBegin *begin)
{
	const SpecHook *was = hook_at(own, begin->op), *is = hook_at(other, begin->op);

	return was && is && strcmp(was->name, is->name) == 0 && strcmp(was->reference, is->reference) == 0 &&
	       own->ops[begin->op].step == other->ops[begin->op].step;
}

static bool is_same_step(const Plan *own, const Plan *other, uint32_t step)
{
	const SpecHook *was, *is;

	if (step == 0 || step > own->n_steps || step > other->n_steps)
		return step == 0;
	was = own->ops[own->steps[step - 1].op].hook;
	is = other->ops[other->steps[step - 1].op].hook;
	return strcmp(was->name, is->name) == 0 && strcmp(was->reference, is->reference) == 0;
}

static bool records_fit(const ParkedRun *run, const Plan *own, const Plan *other)
{
	RecordBegin begin;
	Record record;
	size_t offset = 0;

	while (record_unpack(run->records.data, run->records.size, &offset, &record) > 0)
		if (record.kind == RECORD_BEGIN &&
		    (record_decode_begin(&record, &begin) < 0 || !is_same_call(own, other, &begin) ||
		     !is_same_step(own, other, begin.step)))
			return false;
	return true;
}

int parked_run_fits(const Parking *parking, const ParkedRun *run, const Catalog *catalog, Replay *ret)
{
	const Catalog *own = parked_run_catalog(parking, run, 0);
	const CatalogProgram *was = own && run->program ? catalog_program(own, run->program) : NULL;
	const CatalogProgram *is = run->program ? catalog_program(catalog, run->program) : NULL;

	if (!is)
		return -ENOENT;
	if (!was || !records_fit(run, was->plan, is->plan))
		return -EBADMSG;
	return parked_run_replay(run, catalog, ret);
}
