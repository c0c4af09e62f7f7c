/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module's symbol with less behind it than the frozen header. */
char ryuso_module[16] = "RYUSOMODRYUSOMO";
