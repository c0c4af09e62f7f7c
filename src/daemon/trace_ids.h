/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MESSAGE_IDs of the journal's entries (journalctl MESSAGE_ID=…). They never change; ryusod(8) lists them. */
#pragma once

#define TRACE_ID_RUN_BEGUN "f07880a11f4f49bc873be1fdcc6a78ea"  /* a run has begun */
#define TRACE_ID_RUN_ENDED "80bdf630bc164a289e98bd479cbb1e6a"  /* a run has succeeded, or is rectified */
#define TRACE_ID_RUN_PARKED "e9ad0c9fd51f461187093ea1ce8badb6" /* a run is parked: somebody must look */
#define TRACE_ID_HOOK "1fb3bfabd09a459ebda616cfb415cc1a"       /* an attempt of a hook has ended */
#define TRACE_ID_RECTIFIER "3aeb12943717405daad03da5ff671d78"  /* an attempt of a rectifier has ended */
#define TRACE_ID_OUTPUT "2ea0dc13c4d741c08fe33e06a2e16ea3"     /* a line that a hook logged or printed */
