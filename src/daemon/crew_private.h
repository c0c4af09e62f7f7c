/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between crew.c (who works), crew_start.c (how workers begin), crew_records.c (what was recorded) and crew_end.c (how
 * workers end). */
#pragma once

#include "daemon/crew.h"

/* crew_start.c */
/** \brief For people, in one line: what modules and specs say in it is escaped and cut. NULL where memory is short. */
char *crew_sentence(const char *format, ...) _printf_(1, 2);
/** \brief A worker could not be had; \p problem is taken. */
void crew_fail(Crew *crew, char *problem);
void crew_back_off(Crew *crew);
/** \brief Starts a worker that will be the spare, unless there is one or it is too early. */
void crew_start_spare(Crew *crew);

/* crew.c */
/** \brief The active worker gets no further runs, and begins none of those it has. */
void crew_tire(Crew *crew);

/* crew_records.c */
/** \brief Reads what was recorded, and acts on it. */
void crew_read_records(Crew *crew);
/** \brief And makes room where the worker wants it. */
void crew_read(Crew *crew);

/* crew_end.c */
/** \brief Nothing in the recorder can be believed any more. */
void crew_damage(Crew *crew, const char *what);
