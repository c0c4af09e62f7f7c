/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal, read by one run's id. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

struct json_object;
struct sd_journal;

typedef struct Journal {
	struct sd_journal *journal; /* owned */
} Journal;

typedef struct JournalEntry {
	uint64_t usec;              /* of the wall clock */
	int priority;               /* as syslog(3)'s */
	char *message;              /* owned */
	bool ended;                 /* it says that the run has ended, in whatever way but parked */
	struct json_object *fields; /* owned: all but those that begin with an underscore */
} JournalEntry;

int journal_open(const char *run, Journal *ret);
void journal_done(Journal *journal);
#define _cleanup_journal_ _cleanup_(journal_done)
void journal_entry_done(JournalEntry *entry);
#define _cleanup_journal_entry_ _cleanup_(journal_entry_done)

/** \brief 1 with the next entry, oldest first; 0: there is none yet. */
int journal_next(Journal *journal, JournalEntry *ret);
/** \brief Waits for new entries, or until interrupt_fd() says so: -EINTR. */
int journal_wait(Journal *journal);
/** \brief -EACCES: this machine has a journal, and who asks may not read it; -ENOENT: it has none. Else 0. */
int journal_check_access(void);
