/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/follow.h"

#include "base/clock.h"

const char *run_hook_name(const Run *run, uint32_t op)
{
	const Plan *plan = run->program->plan;

	return op < plan->n_ops && plan->ops[op].hook ? plan->ops[op].hook->name : NULL;
}

static uint64_t since(uint64_t now_usec, uint64_t then_usec)
{
	return then_usec != 0 && now_usec > then_usec ? now_usec - then_usec : 0;
}

static ReplyEvent event_of(const Run *run, const char *name, uint64_t now_usec)
{
	return (ReplyEvent){
		.event = name,
		.run = run->id_text,
		.program = run->program->spec->name,
		.steps = run->program->plan->n_steps,
		.run_usec = since(now_usec, run->begun_usec),
	};
}

static const char *name_of(bool rectifying)
{
	return rectifying ? "rectifier" : "hook";
}

static void add_hand(ReplyEvent *event, const Run *run, uint64_t now_usec)
{
	event->step = run->call.step;
	event->hook = run_hook_name(run, run->call.op);
	event->attempt = run->call.attempt;
	event->usec = since(now_usec, run->call.since_usec);
}

void follow_begun(Run *run)
{
	ReplyEvent event = event_of(run, "begun", 0);

	run_event(run, &event);
}

void follow_ended(Run *run, const RecordEnd *end, uint64_t usec, const char *reason, const char *message)
{
	ReplyEvent event = event_of(run, name_of(end->rectifying), end->usec);

	event.step = end->step;
	event.hook = run_hook_name(run, end->op);
	event.attempt = end->attempt;
	event.outcome = outcome_name(end->outcome);
	event.usec = usec;
	event.reason = reason;
	event.message = message;
	run_event(run, &event);
}

void follow_hand(Run *run, uint64_t now_usec)
{
	ReplyEvent event;

	if (since(now_usec, run->call.since_usec) < FOLLOW_HAND_USEC)
		return;
	run->call.told = true;
	event = event_of(run, name_of(run->call.rectifying), now_usec);
	add_hand(&event, run, now_usec);
	run_event(run, &event);
}

void follow_state(const Run *run, const char *state, Slot *slot)
{
	uint64_t now = clock_monotonic();
	ReplyEvent event = event_of(run, "state", now);

	event.state = state;
	if (run->call.in_hand)
		add_hand(&event, run, now);
	slot_event(slot, &event);
}
