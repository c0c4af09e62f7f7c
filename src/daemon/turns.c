/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/turns.h"

void turns_init(Turns *turns)
{
	*turns = (Turns){ 0 };
	TAILQ_INIT(&turns->leaders);
}

/* Where the user's first run is pointed to, in its bucket; or where that would be. */
static Run **place_of(Turns *turns, uid_t uid)
{
	Run **place = &turns->buckets[uid % TURNS_BUCKETS];

	while (*place && (*place)->peer.uid != uid)
		place = &(*place)->seat.other;
	return place;
}

/* \p run is the user's only one. */
static void sit_down(Run **place, Run *run)
{
	run->seat.previous = run;
	run->seat.next = NULL;
	run->seat.other = NULL;
	*place = run;
}

void turns_add(Turns *turns, Run *run)
{
	Run **place = place_of(turns, run->peer.uid);
	Run *leader = *place;

	if (!leader) {
		sit_down(place, run);
		TAILQ_INSERT_TAIL(&turns->leaders, run, seat.turn);
		return;
	}
	run->seat.previous = leader->seat.previous;
	run->seat.next = NULL;
	leader->seat.previous->seat.next = run;
	leader->seat.previous = run;
}

void turns_return(Turns *turns, Run *run)
{
	Run **place = place_of(turns, run->peer.uid);
	Run *leader = *place;

	if (!leader) {
		sit_down(place, run);
	} else {
		TAILQ_REMOVE(&turns->leaders, leader, seat.turn);
		run->seat.previous = leader->seat.previous;
		run->seat.next = leader;
		run->seat.other = leader->seat.other;
		leader->seat.previous = run;
		*place = run;
	}
	TAILQ_INSERT_HEAD(&turns->leaders, run, seat.turn);
}

Run *turns_first(const Turns *turns)
{
	return TAILQ_FIRST(&turns->leaders);
}

Run *turns_next(const Run *leader)
{
	return TAILQ_NEXT(leader, seat.turn);
}

/* The user's next run stands for the user. */
static void take_leader(Turns *turns, Run **place, Run *leader)
{
	Run *heir = leader->seat.next;

	if (heir) {
		heir->seat.previous = leader->seat.previous;
		heir->seat.other = leader->seat.other;
		TAILQ_INSERT_AFTER(&turns->leaders, leader, heir, seat.turn);
	}
	*place = heir ? heir : leader->seat.other;
	TAILQ_REMOVE(&turns->leaders, leader, seat.turn);
}

void turns_take(Turns *turns, Run *run)
{
	Run **place = place_of(turns, run->peer.uid);
	Run *leader = *place;

	if (run == leader) {
		take_leader(turns, place, leader);
		return;
	}
	run->seat.previous->seat.next = run->seat.next;
	if (run->seat.next)
		run->seat.next->seat.previous = run->seat.previous;
	else
		leader->seat.previous = run->seat.previous;
}

void turns_pass(Turns *turns, uid_t uid)
{
	Run *leader = *place_of(turns, uid);

	if (!leader || !TAILQ_NEXT(leader, seat.turn))
		return;
	TAILQ_REMOVE(&turns->leaders, leader, seat.turn);
	TAILQ_INSERT_TAIL(&turns->leaders, leader, seat.turn);
}
