/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between outcomes.c (what becomes of runs that have ended) and outcomes_records.c (their records: copied, and taken
 * along by a new recorder). */
#pragma once

#include "daemon/outcomes.h"

void outcome_take_reply(Run *run, const RecordFinish *finish);
/** \brief Copies what is needed of \p run's records and not copied yet: the reply; where it is parked, all of them.
 * -ENOMEM: to be asked again; -EBADMSG: they do not hold any more. */
int outcome_complete(const Recorder *recorder, Run *run);
/** \brief A new recorder is not being made of them any more. */
void outcomes_free_lent(Outcomes *outcomes);
