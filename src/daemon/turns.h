/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose run is next: users take turns, and each user's runs keep their order. Nothing is allocated: a user's first run
 * stands for the user. Runs are borrowed, and are in here or not as their owner says. */
#pragma once

#include "daemon/run.h"

#define TURNS_BUCKETS 256U

typedef struct Turns {
	TAILQ_HEAD(, Run) leaders; /* each user's first run, in the order of turns */
	Run *buckets[TURNS_BUCKETS];
} Turns;

void turns_init(Turns *turns);
/** \brief Behind the user's others; a user who has none comes last. */
void turns_add(Turns *turns, Run *run);
/** \brief Before the user's others; the user comes first. */
void turns_return(Turns *turns, Run *run);
/** \brief The first run of the user who comes first; NULL where there is none. */
Run *turns_first(const Turns *turns);
/** \brief Takes out \p run, wherever it stands; whose turn it is stays as it is. */
void turns_take(Turns *turns, Run *run);
/** \brief The user has had a turn, and comes last now. */
void turns_pass(Turns *turns, uid_t uid);
/** \brief The first run of the user who comes after \p leader's; NULL: that was the last. */
Run *turns_next(const Run *leader);
