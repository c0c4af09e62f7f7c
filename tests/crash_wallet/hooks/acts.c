/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One function for all hooks; which one it is, it is told by its name. What a step does is an entry under its token; what
 * undoes it, another one that names it. Each step adds a number of its own to `total`, so that the pool says which steps
 * it has seen. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "book.h"
#include "gen/crash.h"

#define NOTE_KEY "id"

typedef struct Call {
	ryuso_run *run;
	const char *tag;
	int64_t total; /* as the pool has it */
	int64_t step, attempt;
	int64_t note;
} Call;

typedef ryuso_status Act(Call *call);

static void mistake(const Call *call, const char *what)
{
	book_write("INSERT INTO mistakes (tag, run, step, hook, attempt, what) VALUES (?, ?, ?, ?, ?, ?)", "ttitit",
		   call->tag, ryuso_run_id(call->run), call->step, ryuso_hook_name(call->run), call->attempt, what);
}

/* What the pool must say: in a step, and in its rectifier in doubt, what the steps before it have added; in its
 * rectifier else, what it has added, too. */
static void check_total(const Call *call)
{
	bool with_own = ryuso_rectifying(call->run) && !ryuso_in_doubt(call->run);
	int64_t expected = book_number(
		0, "SELECT coalesce(sum(amount), 0) FROM entries WHERE kind = 'do' AND run = ? AND step < ?", "ti",
		ryuso_run_id(call->run), call->step + with_own);

	if (call->total != expected)
		mistake(call, "the pool is another one");
}

static void record_call(const Call *call)
{
	bool fresh;

	fresh = book_write("INSERT INTO calls (token, attempt, tag, run, step, hook, rectifying, doubt)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			   "tittitii", ryuso_token(call->run), call->attempt, call->tag, ryuso_run_id(call->run),
			   call->step, ryuso_hook_name(call->run), (int64_t)ryuso_rectifying(call->run),
			   (int64_t)ryuso_in_doubt(call->run));
	if (!fresh)
		mistake(call, "an attempt was made twice");
	check_total(call);
}

/* ---- forward ---- */

static bool is_idempotent(const Call *call)
{
	return strcmp(ryuso_hook_name(call->run), "repeated") == 0;
}

static ryuso_status look(Call *call)
{
	(void)call;
	return RYUSO_OK;
}

static ryuso_status post(Call *call)
{
	const char *token = ryuso_token(call->run);
	int64_t amount = INT64_C(1) << call->step;

	if (book_number(0, "SELECT 1 FROM entries WHERE token = ?", "t", token)) {
		if (!is_idempotent(call) || call->attempt == 1 ||
		    book_number(0, "SELECT kind = 'void' FROM entries WHERE token = ?", "t", token))
			mistake(call, "done again, or after it was undone");
	} else {
		book_write("INSERT INTO entries (token, tag, run, step, hook, kind, amount, note)"
			   " VALUES (?, ?, ?, ?, ?, 'do', ?, ?)",
			   "tttitii", token, call->tag, ryuso_run_id(call->run), call->step, ryuso_hook_name(call->run),
			   amount, call->note);
		book_write("INSERT INTO postings (token, account, amount) VALUES (?1, ?2, ?3), (?1, '@world', -?3)",
			   "tti", token, ryuso_hook_name(call->run), amount);
	}
	if (ryuso_set_int(call->run, "total", call->total + amount) < 0)
		abort();
	return RYUSO_OK;
}

static ryuso_status post_and_be_lost(Call *call)
{
	post(call);
	return ryuso_unknown(call->run, "Lost", "nobody has heard of it");
}

static ryuso_status post_and_be_lost_once(Call *call)
{
	return call->attempt == 1 ? post_and_be_lost(call) : post(call);
}

static ryuso_status fail_once(Call *call)
{
	return call->attempt == 1 ? ryuso_fail(call->run, "NotYet", "once is not enough") : post(call);
}

static ryuso_status fail(Call *call)
{
	return ryuso_fail(call->run, "Doomed", "this is how it ends");
}

/* ---- and back ---- */

static ryuso_status undo(Call *call)
{
	const char *own = ryuso_token(call->run), *undone = ryuso_undone_token(call->run);

	if (book_number(0, "SELECT 1 FROM entries WHERE token = ?", "t", own))
		return RYUSO_OK;
	if (book_number(0, "SELECT 1 FROM entries WHERE undoes = ? AND hook != 'hand'", "t", undone))
		mistake(call, "undone by another call");
	if (!book_number(0, "SELECT 1 FROM entries WHERE token = ?", "t", undone)) {
		if (!ryuso_in_doubt(call->run))
			mistake(call, "there is nothing of a step that is done");
		book_write("INSERT INTO entries (token, tag, run, step, hook, kind, amount)"
			   " VALUES (?, ?, ?, ?, ?, 'void', 0)",
			   "tttit", undone, call->tag, ryuso_run_id(call->run), call->step, ryuso_hook_name(call->run));
	}
	/* what was undone by hand is not undone once more */
	if (book_write("INSERT INTO entries (token, tag, run, step, hook, kind, amount, undoes)"
		       " SELECT ?1, tag, run, step, ?3, 'undo', amount, token FROM entries WHERE token = ?2",
		       "ttt", own, undone, ryuso_hook_name(call->run)))
		book_write("INSERT INTO postings (token, account, amount)"
			   " SELECT ?1, account, -amount FROM postings WHERE token = ?2",
			   "tt", own, undone);
	return RYUSO_OK;
}

static ryuso_status undo_late(Call *call)
{
	return call->attempt == 1 ? ryuso_fail(call->run, "NotYet", "once is not enough") : undo(call);
}

static ryuso_status undo_glued(Call *call)
{
	if (!book_number(0, "SELECT 1 FROM freed WHERE tag = ?", "t", call->tag))
		return ryuso_fail(call->run, "Glued", "nobody has freed it");
	return undo(call);
}

/* What the step has noted is what it has entered. */
static ryuso_status undo_noted(Call *call)
{
	int64_t entered =
		book_number(0, "SELECT note FROM entries WHERE token = ?", "t", ryuso_undone_token(call->run));
	int64_t noted = 0;
	const void *data;
	size_t size;

	if (ryuso_noted(call->run, NOTE_KEY, &data, &size) == 0 && size == sizeof(noted))
		memcpy(&noted, data, sizeof(noted));
	if (entered && noted != entered)
		mistake(call, "the note is not there");
	return undo(call);
}

/* ---- which is which ---- */

static const struct {
	const char *hook;
	Act *act;
} acts[] = {
	{ "look", look },
	{ "launch_blind", post_and_be_lost },
	{ "repeated", post_and_be_lost_once },
	{ "retried", fail_once },
	{ "doom", fail },
	{ "undo", undo },
	{ "undo_inner", look },
	{ "sweep", look },
	{ "undo_late", undo_late },
	{ "undo_glued", undo_glued },
	{ "undo_noted", undo_noted },
};

static Act *find(const char *hook)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].hook, hook) == 0)
			return acts[i].act;
	return post;
}

static void take_time(int64_t usec)
{
	struct timespec time = { .tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000 };

	if (usec > 0)
		nanosleep(&time, NULL);
}

static int64_t note_something(ryuso_run *run)
{
	int64_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id) || ryuso_note(run, NOTE_KEY, &id, sizeof(id)) < 0)
		abort();
	return id;
}

ryuso_status acts_act(ryuso_run *run, const struct acts_act_args *args)
{
	Call call = {
		.run = run,
		.tag = args->tag,
		.total = args->total,
		.step = ryuso_step(run),
		.attempt = ryuso_attempt(run),
	};
	ryuso_status status;

	if (strcmp(ryuso_hook_name(run), "noted") == 0)
		call.note = note_something(run);
	take_time(args->usec);
	book_begin();
	record_call(&call);
	status = find(ryuso_hook_name(run))(&call);
	book_end();
	return status;
}
