/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request on its way: verified, waiting in the queue, ordered from a worker, begun, ended. It is owned by the list
 * it is in: the queue, then the crew. It outlives its client: then its slot is NULL, and its answer is dropped. */
#pragma once

#include <sys/queue.h>

#include "daemon/catalog.h"
#include "daemon/client.h"
#include "run/record.h"
#include "wire/reply.h"

/** \brief The attempt in hand, or the last one. */
typedef struct RunCall {
	uint32_t op, step, attempt; /* attempt 0: nothing was called yet */
	bool rectifying;
	bool in_hand;
	uint64_t since_usec;
	pid_t worker;
} RunCall;

typedef struct Run {
	TAILQ_ENTRY(Run) entry;
	Id id;
	char id_text[ID_TEXT_SIZE];
	Slot *slot;
	const CatalogProgram *program;
	Peer peer; /* without the groups */
	bool follow;
	uint64_t start_by_usec;       /* monotonic; 0: whenever */
	Buffer order;                 /* the frame that goes to a worker */
	struct json_object *metadata; /* or NULL; for the journal */
	unsigned losses;              /* workers that died with its order before it had begun */
	uint64_t begun_usec;          /* 0: it has not */
	uint64_t offset;              /* of its START record */
	RunCall call;
} Run;

TAILQ_HEAD(RunList, Run);

/** \brief A run with an id of its own. */
int run_new(const CatalogProgram *program, const Peer *peer, Run **ret);
/** \brief Its answer goes to \p slot. */
void run_attach(Run *run, Slot *slot);
Run *run_free(Run *run);
DEFINE_CLEANUP(Run *, run_free)
#define _cleanup_run_ _cleanup_(run_freep)

/** \brief Says what goes to a worker: the request's arguments as arguments_encode() wrote them. */
int run_order(Run *run, const Id *module, const Buffer *arguments);
/** \brief Answers with a refusal and frees the run. */
void run_refuse(Run *run, const Error *error);
/** \brief Answers with what stands in a FINISH record. */
void run_answer(Run *run, const char *reply, size_t reply_size);
/** \brief What has become of it is not known: ends its client's connection, and frees the run. */
void run_abandon(Run *run);
/** \brief Sends an event line, where the client wanted them. */
void run_event(Run *run, const ReplyEvent *event);
