/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder, as a recovery would see it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <systemd/sd-id128.h>

#include "base/point.h"
#include "daemon/config.h"
#include "daemon/inspect_private.h"
#include "daemon/modules.h"
#include "daemon/recorder.h"
#include "run/recover.h"

typedef struct Look {
	Inspection *inspection;
	RecordFile file;
	RecordPlace place;
	Recovered found;
} Look;

static void read_ids(Id *machine, Id *boot)
{
	const char *given = point_boot_id();
	sd_id128_t id;

	*machine = *boot = (Id){ 0 };
	if (sd_id128_get_machine(&id) >= 0)
		memcpy(machine->bytes, id.bytes, sizeof(machine->bytes));
	if (given && id_parse(given, boot) == 0)
		return;
	if (sd_id128_get_boot(&id) >= 0)
		memcpy(boot->bytes, id.bytes, sizeof(boot->bytes));
}

/* Where a run stands, by its records alone: they may be torn. */
typedef struct Stand {
	RecordBegin begin;
	RecordEnd end;
	bool begun, ended; /* what was read last of the two */
	bool stopped;
	uint32_t interruptions;
} Stand;

static void stand_take(Stand *stand, const Record *record)
{
	RecordTaken taken;

	if (record->kind == RECORD_BEGIN && record_decode_begin(record, &stand->begin) == 0) {
		stand->begun = true;
		stand->ended = false;
	} else if (record->kind == RECORD_END && record_decode_end(record, &stand->end) == 0) {
		stand->ended = true;
	} else if (record->kind == RECORD_STOP) {
		stand->stopped = true;
	} else if (record->kind == RECORD_TAKEN && record_decode_taken(record, &taken) == 0) {
		stand->interruptions = taken.interruptions;
	}
}

static void stand_read(const Look *look, const RecoverRun *run, Stand *ret)
{
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	size_t offset = run->offset, end = run->offset + run->size;
	Record record;

	*ret = (Stand){ 0 };
	while (offset < end && record_read(look->file.base, end, offset, look->found.number, sequence, &record) == 0) {
		stand_take(ret, &record);
		offset += record.size;
		sequence = record.sequence + 1;
	}
}

/* Its plan, for the names of hooks; none where the module's note is not to be had. */
static const Plan *find_plan(const Look *look, const RecordStart *start, ModuleNote *note)
{
	_cleanup_free_ char *name = strndup(start->program ? start->program : "", start->program_size);
	_cleanup_free_ char *problem = NULL;
	const CatalogProgram *program;
	Config config;
	RecordCaps caps;

	config_init(&config);
	caps = (RecordCaps){ config.max_pool_size, config.max_notes_size, config.max_rectified_size };
	config_done(&config);
	if (!name || modules_load(look->inspection->directory, &start->module, &caps, note, &problem) < 0)
		return NULL;
	program = catalog_program(note->catalog, name);
	return program ? program->plan : NULL;
}

static void write_call(const Look *look, const Stand *stand, const Plan *plan)
{
	Buffer *text = &look->inspection->text;
	const RecordBegin *begin = &stand->begin;
	const SpecHook *hook = plan && begin->op < plan->n_ops ? plan->ops[begin->op].hook : NULL;

	buffer_format(text, "%s step %" PRIu32, begin->rectifying ? "undoing" : "in", begin->step);
	if (hook)
		buffer_format(text, ", %s", hook->name);
	buffer_format(text, ", attempt %" PRIu32, begin->attempt);
	if (!stand->ended)
		buffer_text(text, " has begun and has no end");
	else
		buffer_format(text, " has ended %s", outcome_name(stand->end.outcome));
}

static void write_stand(const Look *look, const RecoverRun *run)
{
	_cleanup_(module_note_done) ModuleNote note = { 0 };
	Buffer *text = &look->inspection->text;
	Stand stand;

	stand_read(look, run, &stand);
	buffer_text(text, "unfinished: ");
	if (!stand.begun)
		buffer_text(text, "no step has begun");
	else
		write_call(look, &stand, find_plan(look, &run->start, &note));
	if (stand.stopped)
		buffer_text(text, "; it was asked to stop");
	if (stand.interruptions > 0)
		buffer_format(text, "; taken up after %" PRIu32 " interruption%s", stand.interruptions,
			      stand.interruptions == 1 ? "" : "s");
}

static void write_run(const Look *look, const RecoverRun *run)
{
	Buffer *text = &look->inspection->text;
	char id[ID_TEXT_SIZE];

	id_format(&run->start.run, id);
	buffer_format(text, "  %s  ", id);
	if (run->start.program_size > 0)
		inspect_text(look->inspection, run->start.program, run->start.program_size);
	else
		buffer_text(text, "(its beginning is lost)");
	buffer_format(text, ", user %" PRIu32 ": ", run->start.uid);
	if (run->finished)
		buffer_text(text, walk_status_name(run->finish.status));
	else
		write_stand(look, run);
	if (run->broken) {
		buffer_text(text, "; DAMAGED");
		inspect_problem(look->inspection, INSPECT_DAMAGED,
				"recorder: records of run %s are missing or do not hold: a start parks it as Damaged",
				id);
	}
	buffer_text(text, "\n");
}

static void write_found(const Look *look)
{
	const Recovered *found = &look->found;
	Buffer *text = &look->inspection->text;
	size_t n_unfinished = 0;

	for (size_t i = 0; i < found->n; i++)
		n_unfinished += !found->runs[i].finished;
	buffer_format(text, "recorder: %zu run%s, %zu of them unfinished; made %s\n", found->n,
		      found->n == 1 ? "" : "s", n_unfinished,
		      found->same_boot ? "since this boot" : "before this boot");
	if (found->moved)
		buffer_text(text,
			    "  it is not where it was made: in a daemon's start its unfinished runs would park as "
			    "StoreMoved\n");
	for (size_t i = 0; i < found->n; i++)
		write_run(look, &found->runs[i]);
	for (size_t i = 0; i < found->n_unbegun; i++) {
		char id[ID_TEXT_SIZE];

		id_format(&found->unbegun[i].run, id);
		buffer_format(text, "  %s  never begun: %s\n", id, error_name(found->unbegun[i].cause));
	}
	if (found->damaged)
		inspect_problem(look->inspection, INSPECT_DAMAGED,
				"recorder: %s/" RECORDER_NAME
				" is damaged: what is not known to have ended in it parks "
				"at the next start",
				look->inspection->directory);
}

void inspect_recorder(Inspection *inspection)
{
	Look look = { .inspection = inspection };
	Id machine, boot;
	int r;

	read_ids(&machine, &boot);
	r = recorder_map(inspection->directory, &machine, &boot, &look.file, &look.place);
	if (r == -ENOENT) {
		buffer_text(&inspection->text, "recorder: none, so that no run is unfinished\n");
		return;
	}
	if (r >= 0)
		r = recover_read(&look.file, &look.place, &look.found);
	if (r < 0) {
		buffer_text(&inspection->text, "recorder: cannot be read\n");
		inspect_problem(inspection, INSPECT_UNREADABLE, "recorder: %s/" RECORDER_NAME " cannot be read: %s",
				inspection->directory, strerror(-r));
	} else {
		write_found(&look);
	}
	recovered_done(&look.found);
	recorder_unmap(&look.file);
}
