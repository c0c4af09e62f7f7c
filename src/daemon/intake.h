/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects become runs, calls, or refusals, at once, in the order in which they were read. What is wrong with a request
 * is said in the order of the rules: envelope, then what the request id stands for, whether anything can run at all,
 * program, arguments. */
#pragma once

#include "daemon/calls.h"
#include "daemon/crew.h"
#include "wire/request.h"

#define INTAKE_HEAVY_SIZE (64U << 10) /* of a request; reading it takes many times as much, in passing */
#define INTAKE_UNSTORED_MAX 16384U    /* outcomes that wait for the ledger; beyond, nothing more is promised */

typedef struct Intake {
	const Config *config;
	Crew *crew;
	Queue *queue;
	Promises *promises;
	Users *users; /* borrowed; to be set behind intake_init() */
	Calls *calls;
	bool stopping;
	ErrorCode store_code; /* NONE: the state directory can be used */
	char *store_message;  /* owned */
	uint64_t n_refused;
	bool heavy;                       /* a request was read that took much memory in passing */
	Buffer arguments;                 /* scratch */
	struct json_object *no_arguments; /* owned; the empty pool of a request that has none */
	RequestPlain plain;               /* scratch */
} Intake;

int intake_init(Intake *intake, const Config *config, Crew *crew, Queue *queue, Calls *calls);
void intake_done(Intake *intake);
/** \brief Refuses programs with \p code from now on (NONE: no more); \p message is taken. */
void intake_set_store(Intake *intake, ErrorCode code, char *message);
/** \brief Makes the run of a submission that the ledger holds; nobody waits for it yet. Of another module than it was
 * verified with, it is verified anew. -EBADMSG with \p error: it no longer fits, and was refused; -EAGAIN: no module is
 * known yet. */
int intake_restore(Intake *intake, const LedgerRun *submission, Run **ret, Error *error);
/** \brief What came of intake_refit(). */
typedef struct Refit {
	size_t fitted, refused;
} Refit;

/** \brief Verifies anew what waits for a module that is in use no more, and pins it to the one that is; what no longer
 * fits is refused. Who was let in stays so. */
Refit intake_refit(Intake *intake);
/** \brief What Clients.on_object wants; \p context is an Intake. */
void intake_object(Client *client, const char *text, size_t size, size_t members, void *context);
