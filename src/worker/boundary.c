/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "worker/perform.h"

#define WAIT_STEP_USEC (2 * USEC_PER_MSEC)

ErrorCode run_wish(const Worker *worker, const Id *run)
{
	const RecordPage *page = record_page(&worker->recorder);
	uint32_t wish = atomic_load_explicit(&page->wish, memory_order_acquire);

	if (wish == ERROR_NONE || memcmp(page->wish_run, run->bytes, sizeof(run->bytes)) != 0)
		return ERROR_NONE;
	return (ErrorCode)wish;
}

int run_stop(Run *run, ErrorCode cause, const char *program, const char *message)
{
	RecordStop stop = {
		.cause = cause,
		.program = program,
		.program_size = program ? strlen(program) : 0,
		.message = message,
		.message_size = message ? strnlen(message, RECORD_MESSAGE_MAX) : 0,
	};
	int r;

	r = walk_stop(run->replay.walk, cause, program, message);
	if (r < 0)
		return r;
	buffer_clear(&run->worker->content);
	record_encode_stop(&stop, &run->worker->content);
	return run_record(run, RECORD_STOP);
}

/* The wish is gone before its answer is there: then the daemon may have another. */
static int decline(Run *run, int error)
{
	RecordPage *page = record_page(&run->worker->recorder);

	atomic_store(&page->wish, ERROR_NONE);
	atomic_store(&page->declined, (uint32_t)error);
	return channel_ring(&run->worker->channel);
}

/* What was recorded already is no wish any more: the daemon takes it back when it reads so. */
static bool is_heeded(const Run *run, ErrorCode wish)
{
	WalkError error;

	walk_error(run->replay.walk, &error);
	return error.code == wish;
}

int run_decline_rest(Run *run)
{
	ErrorCode wish = run_wish(run->worker, &run->id);

	return wish == ERROR_NONE || is_heeded(run, wish) ? 0 : decline(run, EALREADY);
}

static int heed(Run *run, ErrorCode wish)
{
	int r;

	r = run_stop(run, wish, NULL, NULL);
	if (r != -EALREADY && r != -EPERM)
		return r < 0 ? r : PERFORM_AGAIN;
	/* Too late: what was wished for has no meaning any more (rule 18). */
	return is_heeded(run, wish) ? 0 : decline(run, -r);
}

static int stop_late(Run *run, const SpecProgram *program)
{
	int r;

	r = run_stop(run, ERROR_PROGRAM_TIMEOUT, program->name, NULL);
	if (r == -EALREADY || r == -EPERM)
		return 0;
	return r < 0 ? r : PERFORM_AGAIN;
}

/* Where the new one has too little room, run_room() says so before the next call. */
static int renew(Run *run)
{
	int r;

	r = worker_make_room(run->worker, run->reserve);
	return r == -ENOSPC ? 0 : r;
}

int run_boundary(Run *run, const WalkAction *action)
{
	const RecordPage *page = record_page(&run->worker->recorder);
	ErrorCode wish = run_wish(run->worker, &run->id);
	bool late = action->deadline_program && action->deadline_usec <= run->replay.now_usec;
	int r;

	if (atomic_load_explicit(&page->pause, memory_order_relaxed) != 0)
		return PERFORM_RETIRE;
	if (atomic_load_explicit(&page->renew, memory_order_relaxed) != 0) {
		r = renew(run);
		if (r < 0)
			return r;
	}
	if (late || (wish == ERROR_PROGRAM_TIMEOUT && action->deadline_program))
		return stop_late(run, action->deadline_program);
	return wish == ERROR_CANCELLED || wish == ERROR_INTERRUPTED ? heed(run, wish) : 0;
}

/* On the way back it is there already (record_reserve()). */
int run_room(Run *run, const WalkAction *action)
{
	_cleanup_buffer_ Buffer text = { 0 };
	size_t found = record_room(&run->worker->recorder);
	int r;

	if (action->rectifying || found >= run->reserve)
		return 0;
	r = worker_make_room(run->worker, run->reserve);
	if (r != -ENOSPC)
		return r;
	buffer_format(&text, "the recorder has no room for the rest of the run: expected %zu bytes, got %zu",
		      run->reserve, record_room(&run->worker->recorder));
	buffer_u8(&text, 0);
	r = buffer_error(&text);
	if (r >= 0)
		r = run_stop(run, ERROR_INTERRUPTED, NULL, (const char *)text.data);
	return r < 0 ? r : PERFORM_AGAIN;
}

/* Full jitter. Where no random bits are to be had, the whole wait is as good. */
static uint64_t jitter(uint64_t max_usec)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return max_usec;
	return bits % (max_usec + 1);
}

static void set_state(Run *run, RecordState state)
{
	atomic_store(&record_page(&run->worker->recorder)->state, state);
}

int run_wait(Run *run, const WalkAction *action)
{
	uint64_t until = run->replay.now_usec + jitter(action->wait_usec);
	int r = 0;

	if (action->deadline_usec != 0)
		until = MIN(until, action->deadline_usec);
	while (r == 0 && run->replay.now_usec < until) {
		uint64_t usec = MIN(until - run->replay.now_usec, WAIT_STEP_USEC);

		set_state(run, RECORD_WAITING);
		nanosleep(&(struct timespec){ .tv_nsec = (long)usec * 1000 }, NULL);
		run->replay.now_usec = clock_monotonic();
		r = run_boundary(run, action);
	}
	set_state(run, RECORD_RUNNING);
	return r;
}
