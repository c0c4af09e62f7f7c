/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger: what is not finished in it, and how much is. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/inspect_private.h"
#include "daemon/ledger.h"
#include "daemon/stored_reply.h"

typedef struct Look {
	Inspection *inspection;
	uint64_t counts[LEDGER_STATE_MAX];
	uint64_t n_decisions;         /* to be done */
	Buffer hold, runs, decisions; /* lines */
} Look;

/* The inspection's text is written elsewhere for a while: the parts of it come in another order than they are read. */
static void swap(Look *look, Buffer *part)
{
	Buffer text = look->inspection->text;

	look->inspection->text = *part;
	*part = text;
}

static void write_asker(Inspection *inspection, const LedgerRun *run)
{
	buffer_format(&inspection->text, ", user %" PRIu32, run->uid);
	if (run->request_id) {
		buffer_text(&inspection->text, ", request id \"");
		inspect_text(inspection, run->request_id, strlen(run->request_id));
		buffer_text(&inspection->text, "\"");
	}
}

static void write_parked(Inspection *inspection, const LedgerRun *run)
{
	_cleanup_json_ struct json_object *reply = stored_reply_read(run->reply, run->reply_size);
	const char *message = stored_text(stored_member(reply, "parked"), "message");
	const char *name = error_name(run->error);

	buffer_format(&inspection->text, " at step %" PRIu32 ": %s", run->step, name ? name : "(not known)");
	if (message) {
		buffer_text(&inspection->text, ": ");
		inspect_text(inspection, message, strlen(message));
	}
	if (run->records_size == 0)
		buffer_text(&inspection->text, "; DAMAGED: its records are lost");
}

static void write_run(Inspection *inspection, const LedgerRun *run)
{
	uint64_t since = run->ended_usec ? run->ended_usec : run->submitted_usec;
	char id[ID_TEXT_SIZE];

	id_format(&run->run, id);
	buffer_format(&inspection->text, "  %s  ", id);
	inspect_text(inspection, run->program ? run->program : "", run->program ? strlen(run->program) : 0);
	write_asker(inspection, run);
	buffer_format(&inspection->text, ": %s", ledger_state_name(run->state));
	if (since > 0) {
		buffer_text(&inspection->text, " since ");
		inspect_time(inspection, since);
	}
	if (run->state == LEDGER_PARKED)
		write_parked(inspection, run);
	buffer_text(&inspection->text, "\n");
}

static void on_run(void *context, const LedgerRun *run)
{
	Look *look = context;

	look->counts[run->state]++;
	if (ledger_state_ended(run->state))
		return;
	swap(look, &look->runs);
	write_run(look->inspection, run);
	swap(look, &look->runs);
}

static void on_decision(void *context, const LedgerDecision *decision)
{
	Look *look = context;
	Inspection *inspection = look->inspection;
	char id[ID_TEXT_SIZE];

	if (decision->done)
		return;
	look->n_decisions++;
	id_format(&decision->run, id);
	swap(look, &look->decisions);
	buffer_format(&inspection->text, "  %s  %s at step %" PRIu32 ", decided by user %" PRIu32 " at ", id,
		      ledger_verb_name(decision->verb), decision->step, decision->uid);
	inspect_time(inspection, decision->usec);
	if (decision->reason) {
		buffer_text(&inspection->text, ": ");
		inspect_text(inspection, decision->reason, strlen(decision->reason));
	}
	buffer_text(&inspection->text, "\n");
	swap(look, &look->decisions);
}

static void on_hold(void *context, const LedgerHold *hold)
{
	Look *look = context;
	Inspection *inspection = look->inspection;

	if (!hold->held)
		return;
	swap(look, &look->hold);
	buffer_format(&inspection->text, "  the queue is held by user %" PRIu32 " since ", hold->uid);
	inspect_time(inspection, hold->usec);
	if (hold->reason) {
		buffer_text(&inspection->text, ": ");
		inspect_text(inspection, hold->reason, strlen(hold->reason));
	}
	buffer_text(&inspection->text, "\n");
	swap(look, &look->hold);
}

static void on_problem(void *context, const char *sentence)
{
	Look *look = context;

	/* whether it is damage is said by the end: it may be one that is only being written to */
	inspect_problem(look->inspection, INSPECT_WHOLE, "ledger: %s", sentence);
}

static void write_counts(Inspection *inspection, const Look *look)
{
	const char *separator = "";

	buffer_text(&inspection->text, "ledger: ");
	for (unsigned state = 0; state < LEDGER_STATE_MAX; state++) {
		if (look->counts[state] == 0 && ledger_state_ended((LedgerState)state))
			continue;
		buffer_format(&inspection->text, "%s%" PRIu64 " %s", separator, look->counts[state],
			      ledger_state_name((LedgerState)state));
		separator = ", ";
	}
	if (look->n_decisions > 0)
		buffer_format(&inspection->text, "; %" PRIu64 " decision%s to be done", look->n_decisions,
			      look->n_decisions == 1 ? "" : "s");
	buffer_text(&inspection->text, "\n");
}

static void append(Inspection *inspection, const Buffer *part)
{
	buffer_append(&inspection->text, part->data, part->size);
	if (buffer_error(part) < 0)
		inspection->text.failed = true;
}

static void write_all_of(Inspection *inspection, const Look *look)
{
	write_counts(inspection, look);
	append(inspection, &look->hold);
	append(inspection, &look->runs);
	append(inspection, &look->decisions);
}

void inspect_ledger(Inspection *inspection)
{
	Look look = { .inspection = inspection };
	const LedgerInspection callbacks = {
		.on_run = on_run,
		.on_decision = on_decision,
		.on_hold = on_hold,
		.on_problem = on_problem,
		.context = &look,
	};
	int r;

	r = ledger_inspect(inspection->directory, &callbacks);
	if (r == 0 || r == -EUCLEAN) {
		write_all_of(inspection, &look);
	} else if (r == -ENOENT) {
		buffer_text(&inspection->text, "ledger: none\n");
	} else {
		buffer_text(&inspection->text, "ledger: cannot be read\n");
		inspect_problem(inspection, INSPECT_UNREADABLE, "ledger: %s/" LEDGER_NAME " cannot be read: %s",
				inspection->directory, strerror(-r));
	}
	if (r == -EUCLEAN)
		inspection->status = MAX(inspection->status, INSPECT_DAMAGED);
	buffer_done(&look.hold);
	buffer_done(&look.runs);
	buffer_done(&look.decisions);
}
