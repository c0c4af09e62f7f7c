/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/exchange.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "ctl/interrupt.h"
#include "ctl/member.h"

#define PAUSE_FIRST_USEC (20 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (2 * USEC_PER_SEC)
#define PASSING_PAUSES 6U /* about a second: what passes sooner is not worth a word */
#define UNSENT_MAX 3U     /* a daemon that hangs up within the request so often in a row does not want it */

enum {
	SAID_ABSENT = 1U << 0,
	SAID_BROKEN = 1U << 1,
	SAID_AGAIN = 1U << 2,
	SAID_REFUSED = 1U << 3, /* and the bits above it: by the refusals' places in their table */
};

/* After a connection has broken, only an answer that was given with the request in view settles anything. */
static const struct {
	ErrorCode code;
	bool always; /* else only while the request is unsettled */
} waits[] = {
	{ ERROR_RECOVERING, true },  { ERROR_SHUTTING_DOWN, true },  { ERROR_TOO_MANY_CONNECTIONS, false },
	{ ERROR_STORE_BUSY, false }, { ERROR_STORE_DAMAGED, false }, { ERROR_TOO_SLOW, false },
};

void exchange_done(Exchange *exchange)
{
	json_object_put(take_ptr(exchange->refusal));
}

const char *exchange_explain(int error)
{
	switch (-error) {
	case ETIME:
		return "no answer came within the time of --timeout";
	case EINTR:
		return "interrupted before the answer came";
	case ENODATA:
	case EPIPE:
	case ECONNRESET:
		return "the daemon ended the connection before it answered";
	case EBADMSG:
		return "what came back is no answer of a ryuso daemon";
	default:
		return strerror(-error);
	}
}

/** \brief Whether this is the first time that \p what is to be said. Ends the line of an attempt in hand. */
static bool begin_saying(Exchange *exchange, unsigned what)
{
	if (exchange->said & what)
		return false;
	exchange->said |= what;
	if (exchange->follow)
		follow_settle(exchange->follow);
	return true;
}

static int connect_again(Exchange *exchange)
{
	Ctl *ctl = exchange->ctl;
	int r;

	r = connection_open(ctl->options.socket, ctl_deadline(ctl), &ctl->connection);
	if (r < 0)
		return r;
	if (!exchange->lost)
		return 0;
	exchange->lost = false;
	if (exchange->follow)
		follow_rejoin(exchange->follow);
	if (begin_saying(exchange, SAID_AGAIN))
		ctl_complain(ctl, 0, "reconnected; asking again");
	return 0;
}

static int open_connection(Exchange *exchange)
{
	Ctl *ctl = exchange->ctl;

	exchange->phase = EXCHANGE_CONNECTING;
	if (ctl->connection.fd >= 0)
		return 0;
	return ctl->reached ? connect_again(exchange) : ctl_connect(ctl);
}

/** \brief Shows events until the answer has come. */
static int receive(Exchange *exchange, struct json_object **ret)
{
	for (;;) {
		_cleanup_json_ struct json_object *message = NULL;
		int r;

		r = connection_receive(&exchange->ctl->connection, &message);
		if (r < 0)
			return r;
		if (!exchange->follow || !member_text(message, "event") || member(message, "status")) {
			*ret = take_ptr(message);
			return 0;
		}
		exchange->said = 0;
		exchange->n_pauses = 0;
		r = follow_event(exchange->follow, message);
		if (r < 0)
			return r;
		if (exchange->patience)
			patience_heard(exchange->patience);
	}
}

/** \brief Sends and receives; what the other side said before it hung up counts. */
static int attempt(Exchange *exchange, struct json_object **ret)
{
	bool whole;
	int r;

	r = open_connection(exchange);
	if (r != 0)
		return r;
	exchange->ctl->connection.ticker = exchange->patience ? &exchange->patience->ticker : NULL;
	exchange->phase = EXCHANGE_SENDING;
	r = connection_send(&exchange->ctl->connection, exchange->request);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	whole = r >= 0;
	if (whole)
		exchange->phase = EXCHANGE_RECEIVING;
	r = receive(exchange, ret);
	exchange->n_unsent = whole || r >= 0 ? 0 : exchange->n_unsent + 1;
	exchange->unsettled |= whole && r < 0;
	return whole || r >= 0 || r == -ETIME || r == -EINTR ? r : -EPIPE;
}

static bool can_go_on(const Exchange *exchange, int error)
{
	switch (-error) {
	case ETIME:
	case EINTR:
	case ENOMEM:
	case EBADMSG:
		return false;
	default:
		break;
	}
	switch (exchange->phase) {
	case EXCHANGE_CONNECTING:
		return exchange->patient;
	case EXCHANGE_SENDING:
		return exchange->patient && exchange->n_unsent < UNSENT_MAX;
	default:
		return exchange->repeatable;
	}
}

static void say_lost(Exchange *exchange, int error)
{
	_cleanup_buffer_ Buffer message = {};

	exchange->lost = true;
	if (exchange->phase != EXCHANGE_CONNECTING) {
		if (begin_saying(exchange, SAID_BROKEN))
			ctl_complain(exchange->ctl, 0, "the connection broke before the answer came; reconnecting");
		return;
	}
	if (!begin_saying(exchange, SAID_ABSENT))
		return;
	buffer_text(&message, "cannot connect to ");
	output_escape(exchange->ctl->options.socket, &message);
	buffer_format(&message, " (%s); trying until it is possible", strerror(-error));
	ctl_complain_text(exchange->ctl, 0, &message);
}

/** \brief The place in the table of what is to be waited out, plus one; 0: \p error is final. */
static unsigned find_wait(const Exchange *exchange, ErrorCode code, bool retry)
{
	bool open = exchange->unsettled && exchange->repeatable;

	if (code != ERROR_NONE && code == exchange->passing)
		return ELEMENTSOF(waits) + 1;
	for (unsigned i = 0; retry && i < ELEMENTSOF(waits); i++)
		if (waits[i].code == code && (waits[i].always || open))
			return i + 1;
	return 0;
}

/** \brief Whether \p answer says that the request is to be made again in a moment, and this is to be done; said then.
 */
static bool is_refused_for_now(Exchange *exchange, struct json_object *answer)
{
	struct json_object *error = member_typed(answer, "error", json_type_object);
	const char *status = member_text(answer, "status");
	const char *name = member_text(error, "name");
	_cleanup_buffer_ Buffer message = {};
	unsigned wait;

	if (!exchange->patient || !name || (status && strcmp(status, "refused") != 0))
		return false;
	wait = find_wait(exchange, error_from_name(name), member_bool(error, "retry"));
	if (wait == 0)
		return false;
	if (wait > ELEMENTSOF(waits) && exchange->n_pauses < PASSING_PAUSES)
		return true;
	if (!begin_saying(exchange, SAID_REFUSED << (wait - 1)))
		return true;
	buffer_format(&message, "not now: %s: ", name);
	output_escape(member_text(error, "message"), &message);
	buffer_text(&message, "; asking again until it is answered");
	ctl_complain_text(exchange->ctl, 0, &message);
	return true;
}

/** \brief Half of the time and up to all of it, so that many who wait do not come at once. */
static uint64_t pause_length(Exchange *exchange)
{
	uint64_t length = PAUSE_FIRST_USEC << MIN(exchange->n_pauses, 16U), part = 0;
	Id random;

	exchange->n_pauses++;
	length = MIN(length, PAUSE_MAX_USEC);
	if (id_random(&random) >= 0)
		memcpy(&part, random.bytes, sizeof(part));
	return length / 2 + part % (length / 2 + 1);
}

static int pause_between(Exchange *exchange)
{
	uint64_t deadline = ctl_deadline(exchange->ctl), until = clock_monotonic() + pause_length(exchange);
	struct pollfd bell = { .fd = interrupt_fd(), .events = POLLIN };

	for (;;) {
		uint64_t now = clock_monotonic();

		if (interrupt_pending())
			return -EINTR;
		if (now >= deadline)
			return -ETIME;
		if (now >= until)
			return 0;
		if (poll(&bell, 1, (int)((MIN(until, deadline) - now) / USEC_PER_MSEC) + 1) < 0 && errno != EINTR)
			return -errno;
	}
}

/** \brief A refusal is the answer of a request that was only ever refused. */
static int give_up(Exchange *exchange, int error, struct json_object **ret)
{
	if (error != -ETIME || exchange->unsettled || !exchange->refusal)
		return error;
	*ret = take_ptr(exchange->refusal);
	return 0;
}

int exchange_ask(Exchange *exchange, struct json_object **ret)
{
	int r = exchange->patient ? interrupt_watch() : 0;

	if (exchange->patience)
		patience_begin(exchange->patience);
	while (r >= 0) {
		_cleanup_json_ struct json_object *answer = NULL;

		r = attempt(exchange, &answer);
		if (r == 0 && !is_refused_for_now(exchange, answer)) {
			exchange->ctl->connection.ticker = NULL;
			*ret = take_ptr(answer);
			return 0;
		}
		if (r > 0)
			return r;
		if (r < 0 && !can_go_on(exchange, r))
			break;
		connection_done(&exchange->ctl->connection);
		if (r < 0) {
			say_lost(exchange, r);
		} else {
			json_object_put(exchange->refusal);
			exchange->refusal = take_ptr(answer);
		}
		r = pause_between(exchange);
	}
	exchange->ctl->connection.ticker = NULL;
	return give_up(exchange, r, ret);
}
