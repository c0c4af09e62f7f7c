/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request on its way: verified, promised, waiting in the queue, ordered from a worker, begun, ended, stored. It is
 * owned by the list it is in: Promises (until a submission is durable), the queue, the crew, Outcomes. It outlives its
 * clients: any number of them may wait for it, and one that goes away is forgotten. */
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
	bool told; /* those who follow the run know that it is in hand */
	uint64_t since_usec;
	pid_t worker;
} RunCall;

/** \brief What one client waits for. */
typedef enum WaiterKind {
	WAITER_REPLY,  /* the run's own reply line */
	WAITER_CALL,   /* the same as the result of a call (`wait`) */
	WAITER_QUEUED, /* the line that says that the run is queued, once that is durable */
} WaiterKind;

/** \brief Lent a slot; where the client goes away, slot becomes NULL. */
typedef struct Waiter {
	struct Waiter *next;
	Slot *slot; /* NULL: nobody any more */
	WaiterKind kind;
	bool follow;
	uint64_t dropped; /* events, since the last one it was sent: it does not take them fast enough */
} Waiter;

typedef enum RunState {
	RUN_NEW,
	RUN_PROMISING, /* a submission whose commit is under way; Promises has it */
	RUN_QUEUED,
	RUN_ORDERED, /* from a worker; the crew has it from here on */
	RUN_BEGUN,
	RUN_ENDED,   /* or parked; Outcomes has it: the recorder is not known to be synced up to its end */
	RUN_STORING, /* answered; the ledger is not known to hold its outcome yet */
} RunState;

typedef struct Run Run;

/** \brief A queued run's place among its user's; see turns.h. Only of the first: `turn`, `other`, and the last one as
 * `previous`. */
typedef struct Seat {
	Run *previous, *next;
	Run *other; /* another user's first, in the same bucket */
	TAILQ_ENTRY(Run) turn;
} Seat;

struct Run {
	TAILQ_ENTRY(Run) entry;
	Seat seat;
	Id id;
	char id_text[ID_TEXT_SIZE];
	RunState state;
	Waiter first;            /* the usual one; `next` has more, each owned */
	size_t n_more, sweep_at; /* of those; when so many, those who went away are looked for */
	const CatalogProgram *program;
	const Catalog *catalog;          /* what it is pinned to; borrowed: the crew's, which outlives it */
	Peer peer;                       /* without the groups */
	User *user;                      /* a reference; who is charged with it; or NULL */
	size_t weight, metadata_weight;  /* with how many bytes; of them, for the metadata */
	bool waits;                      /* it counts as one that has not begun */
	bool promised;                   /* its outcome belongs into the ledger as one that is kept for its asker */
	bool submitted;                  /* the ledger holds it: it was to be queued there, or is parked or resumed */
	bool process;                    /* durability `process` */
	bool taken_up;                   /* it has begun before: not counted, and not held back, as a new one is */
	bool irreversible;               /* an irreversible step of it is done */
	bool replaying;                  /* records that are read of it now are old: not traced */
	char *request_id;                /* owned; or NULL. Of the index, with the peer's uid */
	Id fingerprint;                  /* of the request's body */
	uint64_t submitted_usec;         /* wall clock; 0: no submission */
	uint64_t received_usec;          /* wall clock: when the request was read; 0: by an earlier daemon */
	uint64_t decided_usec;           /* of the decision it is taken up by; 0: none */
	uint64_t start_by_usec;          /* monotonic; 0: whenever */
	uint64_t start_by_realtime_usec; /* the same for the ledger */
	Buffer order;                    /* the frame that goes to a worker (RUN or UNPARK) */
	struct json_object *metadata;    /* or NULL; for the journal */
	unsigned losses;                 /* workers that died with its order before it had begun */
	uint64_t begun_usec;             /* monotonic; 0: it has not */
	uint64_t begun_realtime_usec;
	size_t offset; /* of its START record, in the recorder in use */
	RunCall call;
	/* from RUN_ENDED on */
	WalkStatus status;
	ErrorCode error;
	uint32_t error_step;
	Buffer reply;        /* its body, as in FINISH; where somebody waits for it or the ledger is to have it */
	Buffer records;      /* parked: record_pack()ed, until the ledger has them */
	size_t end;          /* behind its FINISH, in the recorder in use; 0: that does not hold it */
	uint64_t ended_usec; /* monotonic; 0: not known */
	uint64_t ended_realtime_usec;
	uint32_t n_records, n_syncs; /* that it took, by its worker's word */
	bool answered;
	uint32_t store_failures;
	void *keeper; /* Promises or Outcomes, while a work of the ledger's on it is under way */
	size_t kept;  /* its place among what a new recorder is to hold, from 1; 0: none */
	bool lent;    /* `records` are being read for that */
};

TAILQ_HEAD(RunList, Run);

/** \brief A run with an id of its own. */
int run_new(const CatalogProgram *program, const Peer *peer, Run **ret);
/** \brief Its answer goes to \p slot, too. -ENOMEM, never for the first. */
int run_attach(Run *run, Slot *slot, WaiterKind kind, bool follow);
/** \brief Whether anybody waits for its answer. */
bool run_awaited(const Run *run);
/** \brief Whether any of them wants events. */
bool run_followed(const Run *run);
Run *run_free(Run *run);
DEFINE_CLEANUP(Run *, run_free)
#define _cleanup_run_ _cleanup_(run_freep)

/** \brief How many bytes it takes. */
size_t run_weight(Run *run);
/** \brief Charges \p user with it, until it is freed, and counts it as one that has not begun. */
void run_charge(Run *run, User *user);
/** \brief Its buffers have changed. */
void run_weigh(Run *run);
/** \brief It has begun. */
void run_waits_no_more(Run *run);
/** \brief For run_free(). */
void run_discharge(Run *run);

/** \brief Says what goes to a worker: the request's arguments as arguments_encode() wrote them. */
int run_order(Run *run, const Buffer *arguments);
/** \brief Answers with a refusal (to a call: with the error) and frees the run. */
void run_refuse(Run *run, const Error *error);
/** \brief Answers everybody who waits with \p reply, a body as in FINISH. */
void run_answer(Run *run, const char *reply, size_t reply_size);
/** \brief It is durably queued: answers those who want to know that. */
void run_answer_queued(Run *run);
/** \brief What has become of it is not known, or not to be believed: ends its clients' connections. */
void run_disappoint(Run *run);
/** \brief Sends an event line to those who want them, and take them. */
void run_event(Run *run, const ReplyEvent *event);
/** \brief The same for one, who may be waiting or not. */
void slot_event(Slot *slot, const ReplyEvent *event);
/** \brief Writes one answer with a stored body into \p slot and gives it back: a reply, or a call's result. */
void slot_answer(Slot *slot, WaiterKind kind, const char *run_id_text, const char *reply, size_t reply_size);
/** \brief The same with the line that says that the run is queued. */
void slot_answer_queued(Slot *slot, const char *run_id_text, const char *program);
