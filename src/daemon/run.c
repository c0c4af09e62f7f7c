/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/run.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"

#define IDS_AHEAD 16

/* Random ids are drawn several at a time: the system call costs more than the rest of it. Main thread only. */
static int next_id(Id *ret)
{
	static Id ids[IDS_AHEAD];
	static unsigned left;

	if (left == 0) {
		if (getrandom(ids, sizeof(ids), 0) != sizeof(ids))
			return -EIO;
		left = IDS_AHEAD;
	}
	*ret = ids[--left];
	return 0;
}

int run_new(const CatalogProgram *program, const Peer *peer, Run **ret)
{
	_cleanup_run_ Run *run = calloc(1, sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	r = next_id(&run->id);
	if (r < 0)
		return r;
	id_format(&run->id, run->id_text);
	run->program = program;
	run->peer = (Peer){ .uid = peer->uid, .gid = peer->gid, .pid = peer->pid };
	*ret = take_ptr(run);
	return 0;
}

void run_attach(Run *run, Slot *slot)
{
	run->slot = slot;
	slot->holder = &run->slot;
}

Run *run_free(Run *run)
{
	if (!run)
		return NULL;
	if (run->slot)
		slot_done(run->slot);
	buffer_done(&run->order);
	json_object_put(run->metadata);
	free(run);
	return NULL;
}

int run_order(Run *run, const Id *module, const Buffer *arguments)
{
	const RecordStart start = {
		.run = run->id,
		.module = *module,
		.uid = run->peer.uid,
		.gid = run->peer.gid,
		.pid = (uint32_t)run->peer.pid,
		.flags = run->follow ? RECORD_FLAG_FOLLOW : 0,
		.start_by_usec = run->start_by_usec,
		.program = run->program->spec->name,
		.program_size = strlen(run->program->spec->name),
		.arguments = arguments->data,
		.arguments_size = arguments->size,
	};

	order_encode_run(&start, &run->order);
	return buffer_error(&run->order);
}

void run_refuse(Run *run, const Error *error)
{
	Buffer *text;
	size_t before;

	if (run->slot) {
		text = slot_text(run->slot);
		before = text->size;
		reply_write_refusal(run->slot->id_text, run->program->spec->name, error, text);
		slot_written(run->slot, text->size - before);
	}
	run_free(run);
}

void run_answer(Run *run, const char *reply, size_t reply_size)
{
	Buffer *text;
	size_t before;

	if (!run->slot)
		return;
	text = slot_text(run->slot);
	before = text->size;
	reply_write_head(run->slot->id_text, run->id_text, text);
	buffer_append(text, reply, reply_size);
	buffer_u8(text, '\n');
	slot_written(run->slot, text->size - before);
	slot_done(run->slot);
}

void run_abandon(Run *run)
{
	if (run->slot)
		client_abandon(run->slot->client);
	run_free(run);
}

void run_event(Run *run, const ReplyEvent *event)
{
	Buffer *text;
	size_t before;

	if (!run->slot || !run->follow)
		return;
	text = slot_text(run->slot);
	before = text->size;
	reply_write_event(run->slot->id_text, event, text);
	slot_written(run->slot, text->size - before);
}
