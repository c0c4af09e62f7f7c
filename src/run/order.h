/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What passes over the channel between ryusod and a worker. Towards the worker: orders, each a frame of u32 size (of
 * what follows), u32 kind, content; any number in one message. From the worker: one hello, a frame of the same form,
 * then never again anything: it shuts its side for writing. What happens in runs goes the way of the recorder, and an
 * eventfd is the doorbell. Pure codec. */
#pragma once

#include "run/record.h"

#define ORDER_FRAME_MAX (64U << 20)
#define ORDER_BATCH_MAX 128U /* runs that are with a worker at once */

typedef enum OrderKind {
	ORDER_NONE,
	ORDER_HELLO,    /* worker → daemon */
	ORDER_RUN,      /* content: record_encode_start() */
	ORDER_RESUME,   /* take up the run whose START record is at `offset` */
	ORDER_UNPARK,   /* take up a parked run: its records, and what an operator decided, are written anew first */
	ORDER_RECORDER, /* the descriptor of a new recorder comes with this message; sent alone */
	ORDER_KIND_MAX,
} OrderKind;

typedef struct OrderHello {
	const char *
		error; /* not empty: the module cannot be used, and this sentence says why; the worker exits after it */
	size_t error_size;
	uint32_t abi_major, abi_minor;
	Id fingerprint;       /* of the spec's text */
	const char *build_id; /* hexadecimal, of the linker's note; may be empty */
	size_t build_id_size;
	const char *spec; /* the text that is embedded in the module */
	size_t spec_size;
} OrderHello;

typedef struct OrderResume {
	uint64_t offset;     /* of the START record in the recorder */
	ErrorCode cause;     /* why the attempt in hand, if there is one, has no end: HOOK_UNKNOWN, HOOK_TIMEOUT,
				PROGRAM_TIMEOUT, CANCELLED, INTERRUPTED */
	ErrorCode stop;      /* not NONE: where no attempt is in hand and the run goes forward, it is stopped with this
				(INTERRUPTED) before anything else, by a STOP record */
	const char *program; /* PROGRAM_TIMEOUT: whose; else empty */
	size_t program_size;
	const char *message; /* "killed by signal 11 (Segmentation fault)"; of the stop likewise */
	size_t message_size;
} OrderResume;

/** \brief A parked run is taken up again. `records` are whole records as they stood in a recorder, START first; the
 * worker appends their contents anew (START with `module`), then the decision, syncs (durability `disk`), and goes on
 * through the same walk. */
typedef struct OrderUnpark {
	Id run;
	Id module;       /* what it is pinned to from now on */
	RecordKind verb; /* RETRY, SKIP, CONFIRM */
	RecordDecision decision;
	const void *records; /* record_pack() */
	size_t records_size;
} OrderUnpark;

typedef struct Order {
	OrderKind kind;
	const uint8_t *content; /* borrowed */
	size_t content_size;
	size_t size; /* of the whole frame */
} Order;

/** \brief The first frame of \p data: 0, -EAGAIN where it is not whole yet, -EBADMSG where it is none. */
int order_read(const void *data, size_t size, Order *ret);
void order_encode_hello(const OrderHello *hello, Buffer *buffer);
void order_encode_run(const RecordStart *start, Buffer *buffer);
void order_encode_resume(const OrderResume *resume, Buffer *buffer);
void order_encode_unpark(const OrderUnpark *unpark, Buffer *buffer);
void order_encode_recorder(Buffer *buffer);
int order_decode_hello(const Order *order, OrderHello *ret);
int order_decode_run(const Order *order, RecordStart *ret);
int order_decode_resume(const Order *order, OrderResume *ret);
int order_decode_unpark(const Order *order, OrderUnpark *ret);

/* A worker's descriptors, from its start. */
#define ORDER_FD_CHANNEL 3
#define ORDER_FD_DOORBELL 4
#define ORDER_FD_MODULE 5
#define ORDER_FD_RECORDER 6
#define ORDER_FD_TREE 7 /* the lock of the worker's tree: kept open, and inherited by whatever hooks start */
#define ORDER_FD_COUNT 8
