/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A shared object that is no module. */
int ryuso_no_module(void);

int ryuso_no_module(void)
{
	return 0;
}
