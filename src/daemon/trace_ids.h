/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MESSAGE_IDs of the journal's entries (journalctl MESSAGE_ID=…). They never change; ryuso-journal(7) lists them,
 * and units/ryuso.catalog says of each what to do. */
#pragma once

#define TRACE_ID_RUN_BEGUN "f07880a11f4f49bc873be1fdcc6a78ea"    /* a run has begun */
#define TRACE_ID_RUN_ENDED "80bdf630bc164a289e98bd479cbb1e6a"    /* a run has succeeded, or is rectified */
#define TRACE_ID_RUN_PARKED "e9ad0c9fd51f461187093ea1ce8badb6"   /* a run is parked: somebody must look */
#define TRACE_ID_HOOK "1fb3bfabd09a459ebda616cfb415cc1a"         /* an attempt of a hook has ended */
#define TRACE_ID_RECTIFIER "3aeb12943717405daad03da5ff671d78"    /* an attempt of a rectifier has ended */
#define TRACE_ID_OUTPUT "2ea0dc13c4d741c08fe33e06a2e16ea3"       /* a line that a hook logged or printed */
#define TRACE_ID_RUN_TAKEN_UP "37421af1edea46478929e6a8076470f6" /* a run goes on after an interruption */
#define TRACE_ID_DECISION "f608b4f05dab4433935ea209571d2aa3"     /* an operator has decided about a parked run */
#define TRACE_ID_HOLD "e88c6b8e37f64b7d837279ce2730c6fa"         /* an operator holds the queue, or lets it go on */
#define TRACE_ID_STORE "5855ce9147754cf2a419e90e844feadd"        /* the state directory is damaged, or cannot be used */
#define TRACE_ID_MOVED "a2878864896341378e9a6772c365e81a" /* the state directory was elsewhere before, or is a copy */
