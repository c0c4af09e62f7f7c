/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/run.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"
#include "base/point.h"

#define IDS_AHEAD 64U
#define SWEEP_MIN 16U
#ifdef __SANITIZE_ADDRESS__
#define SPARE_MAX 0U /* what is used after its end is to be seen */
#else
#define SPARE_MAX 256U
#endif
#define SPARE_ORDER_MAX 1024U /* bytes of memory that the order of a run at rest may keep */

/* Random ids are drawn several at a time: the system call costs more than the rest of it. Main thread only. */
static int next_id(Id *ret)
{
	static Id ids[IDS_AHEAD];
	static unsigned left;

	ssize_t n;

	if (left == 0) {
		n = getrandom(ids, sizeof(ids), 0);
		if (n < (ssize_t)sizeof(ids[0]))
			return n < 0 && errno == EINTR ? -EAGAIN : -EIO;
		left = (unsigned)n / sizeof(ids[0]);
	}
	*ret = ids[--left];
	return 0;
}

/* Runs that are done with, and the buffers of their orders, serve the next ones. Main thread only. */
static struct RunList spare = TAILQ_HEAD_INITIALIZER(spare);
static unsigned n_spare;

static Run *spare_take(void)
{
	Run *run = TAILQ_FIRST(&spare);
	Buffer order;

	if (!run)
		return calloc(1, sizeof(*run));
	TAILQ_REMOVE(&spare, run, entry);
	n_spare--;
	order = run->order;
	*run = (Run){ .order = order };
	return run;
}

static void spare_put(Run *run)
{
	if (n_spare + 1 > SPARE_MAX || run->order.capacity > SPARE_ORDER_MAX) {
		buffer_done(&run->order);
		free(run);
		return;
	}
	buffer_clear(&run->order);
	TAILQ_INSERT_HEAD(&spare, run, entry);
	n_spare++;
}

int run_new(const CatalogProgram *program, const Peer *peer, Run **ret)
{
	_cleanup_run_ Run *run = spare_take();
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

/* Those who went away are forgotten when as many have come: the list stays within twice what it needs. */
static void run_sweep(Run *run)
{
	Waiter **at = &run->first.next;

	while (*at) {
		Waiter *waiter = *at;

		if (waiter->slot) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		free(waiter);
		run->n_more--;
	}
	run->sweep_at = MAX(SWEEP_MIN, 2 * run->n_more);
}

static Waiter *run_another_waiter(Run *run)
{
	Waiter *waiter;

	if (run->n_more >= MAX(SWEEP_MIN, run->sweep_at))
		run_sweep(run);
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return NULL;
	waiter->next = run->first.next;
	run->first.next = waiter;
	run->n_more++;
	return waiter;
}

int run_attach(Run *run, Slot *slot, WaiterKind kind, bool follow)
{
	Waiter *waiter = run->first.slot ? run_another_waiter(run) : &run->first;

	if (!waiter)
		return -ENOMEM;
	waiter->slot = slot;
	waiter->kind = kind;
	waiter->follow = follow;
	waiter->dropped = 0;
	slot->holder = &waiter->slot;
	return 0;
}

bool run_awaited(const Run *run)
{
	for (const Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot)
			return true;
	return false;
}

bool run_followed(const Run *run)
{
	for (const Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot && waiter->follow)
			return true;
	return false;
}

Run *run_free(Run *run)
{
	Waiter *next;

	if (!run)
		return NULL;
	for (Waiter *waiter = &run->first; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->slot)
			slot_done(waiter->slot);
		if (waiter != &run->first)
			free(waiter);
	}
	run_discharge(run);
	buffer_done(&run->reply);
	buffer_done(&run->records);
	json_object_put(run->metadata);
	free(run->request_id);
	spare_put(run);
	return NULL;
}

/* What its outcome must be found by, where one is kept, and what the journal says of it when it is taken up. */
static int encode_request(const Run *run, Buffer *request)
{
	_cleanup_buffer_ Buffer metadata = { 0 };
	RecordRequest asked = {
		.request_id = run->request_id,
		.request_id_size = run->request_id ? strlen(run->request_id) : 0,
		.fingerprint = run->fingerprint,
		.submitted_usec = run->submitted_usec,
	};

	if (run->metadata)
		json_write(run->metadata, &metadata);
	if (buffer_error(&metadata) < 0)
		return -ENOMEM;
	asked.metadata = (const char *)metadata.data;
	asked.metadata_size = metadata.size;
	record_encode_request(&asked, request);
	return buffer_error(request);
}

int run_order(Run *run, const Buffer *arguments)
{
	_cleanup_buffer_ Buffer request = { 0 };
	RecordStart start = {
		.run = run->id,
		.module = run->catalog->identity,
		.uid = run->peer.uid,
		.gid = run->peer.gid,
		.pid = (uint32_t)run->peer.pid,
		.flags = (run->first.follow ? RECORD_FLAG_FOLLOW : 0) | (run->promised ? RECORD_FLAG_PROMISED : 0) |
			 (run->process ? RECORD_FLAG_PROCESS : 0),
		.start_by_usec = run->start_by_usec,
		.program = run->program->spec->name,
		.program_size = strlen(run->program->spec->name),
		.arguments = arguments->data,
		.arguments_size = arguments->size,
	};
	int r;

	if (run->promised || (run->metadata && !run->process)) {
		r = encode_request(run, &request);
		if (r < 0)
			return r;
		start.request = request.data;
		start.request_size = request.size;
	}
	order_encode_run(&start, &run->order);
	return buffer_error(&run->order);
}

/* An answer's text is begun, and ended. */
typedef struct Writing {
	Slot *slot;
	Buffer *text;
	size_t before;
} Writing;

static Writing writing_begin(Slot *slot)
{
	Buffer *text;

	POINT("before-reply");
	text = slot_text(slot);
	return (Writing){ .slot = slot, .text = text, .before = text->size };
}

static void writing_end(const Writing *writing)
{
	slot_written(writing->slot, writing->text->size - writing->before);
	slot_done(writing->slot);
	POINT("after-reply");
}

static void slot_refuse(Slot *slot, WaiterKind kind, const char *program, const Error *error)
{
	Writing writing = writing_begin(slot);

	if (kind == WAITER_CALL)
		reply_write_call_error(slot->id_text, error, writing.text);
	else
		reply_write_refusal(slot->id_text, program, error, writing.text);
	writing_end(&writing);
}

static void count_refusal(const Run *run, const Error *error)
{
	MetricsProgram *tally = run->program->tally;

	metrics_refused(tally);
	if (tally)
		metrics_refusal(tally->metrics, error->code);
}

void run_refuse(Run *run, const Error *error)
{
	count_refusal(run, error);
	for (Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot)
			slot_refuse(waiter->slot, waiter->kind, run->program->spec->name, error);
	run_free(run);
}

static void write_call_head(const Slot *slot, const char *run_id_text, Buffer *text)
{
	buffer_u8(text, '{');
	if (slot->id_text) {
		buffer_text(text, "\"id\":");
		buffer_text(text, slot->id_text);
		buffer_u8(text, ',');
	}
	buffer_text(text, "\"result\":");
	reply_write_head(NULL, run_id_text, text);
}

void slot_answer(Slot *slot, WaiterKind kind, const char *run_id_text, const char *reply, size_t reply_size)
{
	Writing writing = writing_begin(slot);

	if (kind == WAITER_CALL)
		write_call_head(slot, run_id_text, writing.text);
	else
		reply_write_head(slot->id_text, run_id_text, writing.text);
	buffer_append(writing.text, reply, reply_size);
	buffer_text(writing.text, kind == WAITER_CALL ? "}\n" : "\n");
	writing_end(&writing);
}

void run_answer(Run *run, const char *reply, size_t reply_size)
{
	for (Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot)
			slot_answer(waiter->slot, waiter->kind, run->id_text, reply, reply_size);
}

void slot_answer_queued(Slot *slot, const char *run_id_text, const char *program)
{
	Writing writing = writing_begin(slot);

	reply_write_head(slot->id_text, run_id_text, writing.text);
	buffer_text(writing.text, "\"program\":");
	json_write_string(program, strlen(program), writing.text);
	buffer_text(writing.text, ",\"success\":null,\"status\":\"queued\",\"data_pool\":{},\"error\":null}\n");
	writing_end(&writing);
}

void run_answer_queued(Run *run)
{
	for (Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot && waiter->kind == WAITER_QUEUED)
			slot_answer_queued(waiter->slot, run->id_text, run->program->spec->name);
}

void run_disappoint(Run *run)
{
	for (Waiter *waiter = &run->first; waiter; waiter = waiter->next) {
		Slot *slot = take_ptr(waiter->slot);

		if (!slot)
			continue;
		slot->holder = NULL;
		client_abandon(slot->client);
	}
}

void slot_event(Slot *slot, const ReplyEvent *event)
{
	Buffer *text = slot_text(slot);
	size_t before = text->size;

	reply_write_event(slot->id_text, event, text);
	slot_written(slot, text->size - before);
}

static void waiter_event(Waiter *waiter, const ReplyEvent *event)
{
	ReplyEvent told = *event;

	if (!slot_takes_events(waiter->slot)) {
		waiter->dropped++;
		return;
	}
	told.dropped = waiter->dropped;
	waiter->dropped = 0;
	slot_event(waiter->slot, &told);
}

void run_event(Run *run, const ReplyEvent *event)
{
	for (Waiter *waiter = &run->first; waiter; waiter = waiter->next)
		if (waiter->slot && waiter->follow)
			waiter_event(waiter, event);
}
