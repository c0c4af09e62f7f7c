/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that a command is about to write, whole and in memory. All are written beside their places first and
 * renamed into them only when every one is there, so that a full disk or a directory that cannot be written leaves
 * everything as it was. A file of the author's (FILE_ONCE) is never touched where it exists. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "gen/report.h"

typedef enum FileKind {
	FILE_GENERATED, /* replaced where its bytes differ */
	FILE_ONCE,      /* written where there is none */
} FileKind;

typedef enum FileState {
	FILE_PRESENT, /* the same bytes are there already, or (ONCE) any */
	FILE_DIFFERS,
	FILE_MISSING,
} FileState;

typedef struct File {
	char *path; /* below the directory, as messages name it: "gen/wallet.h" */
	char *place;
	char *draft; /* where it was written first; NULL when it is in its place */
	FileKind kind;
	FileState state;
	mode_t mode;
	Buffer content;
} File;

typedef struct Files {
	const char *directory; /* borrowed */
	File *items;
	size_t n;
	char **made; /* directories, in the order in which they were made */
	size_t n_made;
} Files;

void files_done(Files *files);
#define _cleanup_files_ _cleanup_(files_done)

/** \brief Adds a file; what \p content holds is taken. -ENOMEM. */
int files_add(Files *files, const char *path, FileKind kind, mode_t mode, Buffer *content);
/** \brief Looks at what is there and sets the states. -EBADMSG, reported, where something is in the way; -ENOMEM. */
int files_compare(Files *files, Report *report);
/** \brief Writes what differs or is missing, and reports each file written. -EBADMSG, reported, nothing changed;
 * -ENOMEM. */
int files_write(Files *files, Report *report);
