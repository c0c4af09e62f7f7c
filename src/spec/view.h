/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be known beforehand of a key in the data pool at some point of a run: whether it is there in every run, in
 * some, or in none, and of which types its value may be. The abstract values of spec/flow. */
#pragma once

#include "spec/plan.h"

typedef struct ViewKey {
	uint8_t types; /* bit per ValueType; 0: it is never there */
	bool sure;     /* it is there in every run that comes this far */
	bool any;      /* a hook that does not declare its outputs may have written it: presence is not judged */
} ViewKey;

typedef enum ViewVerdict {
	VIEW_FINE,
	VIEW_SOME,  /* only some runs pass */
	VIEW_NEVER, /* no run passes */
} ViewVerdict;

/** \brief The check of an argument or output before anything runs. Of what need not be there only a value that is
 * always of the wrong type counts. */
ViewVerdict view_judge(const ViewKey *key, const SpecArg *arg);
/** \brief What is known once the check has passed. */
void view_pass(ViewKey *key, const SpecArg *arg);
/** \brief A default is added where there is no such key. */
void view_default(ViewKey *key, const SpecArg *arg);
/** \brief A hook has written a declared output. */
void view_write(ViewKey *key, const SpecArg *output);
/** \brief A hook has written whatever it liked: anything but metadata. */
void view_write_any(ViewKey *keys, const Plan *plan);
/** \brief The request's arguments, as its check before the run leaves them, and metadata. */
void view_begin(ViewKey *keys, const Plan *plan);
/** \brief Whether a value that may be there would pass. */
bool view_provides(const ViewKey *key, const SpecArg *arg);
/** \brief "string" or "int, float": the types that may be there. */
void view_types(const ViewKey *key, Buffer *buffer);
