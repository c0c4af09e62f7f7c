/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's syncs of the recorder (rule 28): msync, which needs no descriptor that a hook could close. The daemon
 * syncs the same file from its side; `synced` in the first page says how far either has come, and is only ever raised.
 */
#pragma once

#include "worker/worker.h"

/** \brief Makes all records so far durable: 1 where a sync did it, 0 where they were already, or its negative errno. */
int sync_records(const RecordFile *file);
/** \brief The same for certain: where it fails, in a new recorder with \p wanted bytes of room, which comes synced.
 * -ENOSPC where that one has less, but the records are durable in it. \p n_syncs counts those that were made. */
int worker_sync(Worker *worker, size_t wanted, uint32_t *n_syncs);
