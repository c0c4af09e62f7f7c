/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A long series of works on many runs, the same for the same seed, and what a ledger shows of it: so that after any
 * interruption a test can tell which of them were done. Of each run every work leads to a state that no other leads
 * to. */
#pragma once

#include "tests/dice.h"
#include "tests/ledger_desk.h"

#define SCRIPT_WORKS 1200U
#define SCRIPT_RUNS 8U /* in hand at once */
#define SCRIPT_STEPS 5U

typedef enum ScriptWork {
	SCRIPT_END,
	SCRIPT_SUBMIT,
	SCRIPT_FINISH,
	SCRIPT_REFUSE,
	SCRIPT_PARK,
	SCRIPT_PARK_AGAIN,
	SCRIPT_RESUME,
	SCRIPT_DECIDE,
} ScriptWork;

static const ScriptWork script_lives[][SCRIPT_STEPS + 1] = {
	{ SCRIPT_SUBMIT, SCRIPT_FINISH },
	{ SCRIPT_SUBMIT, SCRIPT_REFUSE },
	{ SCRIPT_SUBMIT, SCRIPT_PARK, SCRIPT_RESUME, SCRIPT_FINISH },
	{ SCRIPT_PARK, SCRIPT_DECIDE, SCRIPT_RESUME, SCRIPT_PARK_AGAIN },
	{ SCRIPT_FINISH },
};

typedef struct Script {
	struct {
		unsigned run;
		ScriptWork work;
		unsigned step; /* of the run's life, from 1 */
	} works[SCRIPT_WORKS];
	unsigned first, n_runs; /* numbers of the runs */
} Script;

static inline const ScriptWork *script_life(unsigned run)
{
	return script_lives[run % ELEMENTSOF(script_lives)];
}

static inline void script_init(Script *script, uint64_t seed, unsigned first)
{
	unsigned runs[SCRIPT_RUNS], steps[SCRIPT_RUNS] = { 0 };
	Dice dice = { .state = seed };

	script->first = first;
	script->n_runs = SCRIPT_RUNS;
	for (unsigned i = 0; i < SCRIPT_RUNS; i++)
		runs[i] = first + i;
	for (unsigned i = 0; i < SCRIPT_WORKS; i++) {
		unsigned at = dice_below(&dice, SCRIPT_RUNS);

		if (script_life(runs[at])[steps[at]] == SCRIPT_END) {
			runs[at] = first + script->n_runs++;
			steps[at] = 0;
		}
		script->works[i].run = runs[at];
		script->works[i].work = script_life(runs[at])[steps[at]];
		script->works[i].step = ++steps[at];
	}
}

/* Each run's texts name it, so that a mix of two is seen. */
static inline void script_text(unsigned run, const char *word, char text[static 64])
{
	snprintf(text, 64, "%s of run %u", word, run);
}

static inline int script_do(Ledger *ledger, const Script *script, unsigned i, LedgerDone done, void *context)
{
	unsigned n = script->works[i].run;
	char id[64], arguments[64], reply[64], records[64];
	LedgerRun submission, end, parked;
	const LedgerDecision decision = { .run = desk_id(n), .step = 3, .verb = LEDGER_RETRY, .usec = 1 };

	script_text(n, "id", id);
	script_text(n, "arguments", arguments);
	script_text(n, "reply", reply);
	script_text(n, script->works[i].work == SCRIPT_PARK ? "records" : "second records", records);
	submission = desk_submission(n, id);
	submission.arguments = arguments;
	submission.arguments_size = strlen(arguments);
	end = desk_end(n, script->works[i].work == SCRIPT_REFUSE ? LEDGER_REFUSED : LEDGER_SUCCEEDED, reply);
	end.request_id = id;
	parked = desk_parked(n, records);
	parked.request_id = id;
	switch (script->works[i].work) {
	case SCRIPT_SUBMIT:
		return ledger_submit(ledger, &submission, done, context);
	case SCRIPT_FINISH:
	case SCRIPT_REFUSE:
		return ledger_finish(ledger, &end, done, context);
	case SCRIPT_PARK:
	case SCRIPT_PARK_AGAIN:
		return ledger_park(ledger, &parked, done, context);
	case SCRIPT_RESUME:
		return ledger_resume(ledger, &parked.run, done, context);
	case SCRIPT_DECIDE:
		return ledger_decide(ledger, &decision, done, context);
	case SCRIPT_END:
		break;
	}
	return -EINVAL;
}

typedef struct ScriptSeen {
	unsigned run;
	ScriptWork last;
	bool resumed;
} ScriptSeen;

static inline int on_script_records(void *context, const LedgerRun *run)
{
	ScriptSeen *seen = context;
	char first[64], second[64];

	script_text(seen->run, "records", first);
	script_text(seen->run, "second records", second);
	if (run->records_size == strlen(first) && memcmp(run->records, first, strlen(first)) == 0) {
		seen->last = SCRIPT_PARK;
		return 0;
	}
	ck_assert_uint_eq(run->records_size, strlen(second));
	ck_assert_mem_eq(run->records, second, strlen(second));
	seen->last = SCRIPT_PARK_AGAIN;
	return 0;
}

static inline int on_script_decision(void *context, const LedgerDecision *decision)
{
	ScriptSeen *seen = context;

	if (!decision->done)
		seen->last = SCRIPT_DECIDE;
	return 0;
}

static inline void script_look(Ledger *ledger, const LedgerRun *run, ScriptSeen *seen)
{
	static const ScriptWork last[LEDGER_STATE_MAX] = {
		[LEDGER_QUEUED] = SCRIPT_SUBMIT,
		[LEDGER_RESUMED] = SCRIPT_RESUME,
		[LEDGER_SUCCEEDED] = SCRIPT_FINISH,
		[LEDGER_REFUSED] = SCRIPT_REFUSE,
	};
	char reply[64];

	seen->last = last[run->state];
	if (run->state == LEDGER_PARKED) {
		ck_assert_int_eq(ledger_unpark(ledger, &run->run, on_script_records, seen), 0);
		ck_assert_int_eq(ledger_decisions(ledger, &run->run, on_script_decision, seen), 0);
	}
	script_text(seen->run, "reply", reply);
	if (ledger_state_ended(run->state)) {
		ck_assert_uint_eq(run->reply_size, strlen(reply));
		ck_assert_mem_eq(run->reply, reply, strlen(reply));
	}
}

/** \brief How many works of its life a run has behind it. */
static inline unsigned script_progress(Ledger *ledger, unsigned run)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	ScriptSeen seen = { .run = run };
	const ScriptWork *life = script_life(run);
	Id id = desk_id(run);
	int r = ledger_find(ledger, &id, &found);

	ck_assert(r == 0 || r == -ENOENT);
	if (r < 0)
		return 0;
	script_look(ledger, &found.run, &seen);
	for (unsigned i = 0; life[i] != SCRIPT_END; i++)
		if (life[i] == seen.last)
			return i + 1;
	ck_abort_msg("run %u: no work of its life leads to state %s", run, ledger_state_name(found.run.state));
}

static inline int on_script_queued(void *context, const LedgerRun *run)
{
	char arguments[64];

	(void)context;
	script_text(desk_number(&run->run), "arguments", arguments);
	ck_assert_uint_eq(run->arguments_size, strlen(arguments));
	ck_assert_mem_eq(run->arguments, arguments, strlen(arguments));
	return 0;
}

/** \brief The number of works that the ledger shows, of which the first are the script's first, none left out. */
static inline unsigned script_done(Ledger *ledger, const Script *script)
{
	_cleanup_free_ unsigned *progress = calloc(script->n_runs, sizeof(unsigned));
	unsigned done = SCRIPT_WORKS;

	ck_assert_ptr_nonnull(progress);
	ck_assert_int_eq(ledger_take(ledger, on_script_queued, NULL), 0);
	for (unsigned i = 0; i < script->n_runs; i++)
		progress[i] = script_progress(ledger, script->first + i);
	for (unsigned i = 0; i < SCRIPT_WORKS; i++) {
		bool there = progress[script->works[i].run - script->first] >= script->works[i].step;

		if (!there && done == SCRIPT_WORKS)
			done = i;
		ck_assert_msg(!there || done == SCRIPT_WORKS, "work %u is there, work %u is not", i, done);
	}
	return done;
}
