/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between intake.c (requests become runs), intake_recall.c (those that were made before), intake_restore.c (the
 * ledger's) and intake_refit.c (those that another module is to run). */
#pragma once

#include "daemon/intake.h"

/** \brief Whether a run could begin at all, whatever it is. -EBADMSG with \p error. */
int intake_check_service(const Intake *intake, Error *error);
/** \brief Whether a recorder could hold it. -EBADMSG with \p error. */
int intake_check_size(const Intake *intake, const Run *run, Error *error);
/** \brief Encoded arguments against a program that they were not checked against. -EBADMSG with \p error; -EUCLEAN: they
 * are damaged. */
int intake_check_arguments(const SpecProgram *program, const void *arguments, size_t size, Error *error);
/** \brief A request with a request id. 1: it stands for something, and is answered, or will be. 0: it is a new one.
 * -EBADMSG with \p error: it is refused. */
int intake_recall(Intake *intake, Client *client, Request *request, Id *ret_fingerprint, Error *error);
