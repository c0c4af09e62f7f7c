/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk that is really full: a small file system in memory, which only root can mount; for others these tests do
 * nothing. */
#include "tests/check_main.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/ledger_desk.h"

#define DISK_SIZE "size=2m"

/* In a mount namespace of this test's own: it ends with it. */
static bool disk_mount(void)
{
	scratch_reset();
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", scratch_path(""), "tmpfs", MS_NODEV | MS_NOSUID, DISK_SIZE) == 0)
		return true;
	printf("# no file system could be mounted: not tried\n");
	return false;
}

static void disk_unmount(void)
{
	ck_assert_int_eq(umount2(scratch_path(""), MNT_DETACH), 0);
}

static void disk_fill(void)
{
	static const char block[512];
	int fd = open(scratch_path("ballast"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}

static void disk_free(void)
{
	ck_assert_int_eq(unlink(scratch_path("ballast")), 0);
}

static int submit_large(Ledger *ledger, unsigned n)
{
	static char arguments[200000];
	LedgerRun run = desk_submission(n, "large");

	memset(arguments, 'a', sizeof(arguments));
	run.arguments = arguments;
	run.arguments_size = sizeof(arguments);
	return DESK_DO(ledger, ledger_submit, &run);
}

START_TEST(works_wait_for_nobody_on_a_full_disk_and_go_on_when_there_is_space)
{
	Ledger *ledger;

	if (!disk_mount())
		return;
	ledger = desk_open();
	ck_assert_int_eq(desk_submit(ledger, 1, "one"), 0);
	ck_assert_int_eq(desk_park(ledger, 2, "records"), 0);
	disk_fill();
	ck_assert_int_eq(submit_large(ledger, 3), -ENOSPC);
	ck_assert_int_eq(desk_state(ledger, 3), DESK_ABSENT);
	ck_assert_int_eq(submit_large(ledger, 6), -ENOSPC);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_QUEUED);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_PARKED);
	disk_free();
	ck_assert_int_eq(submit_large(ledger, 3), 0);
	ck_assert_int_eq(desk_finish(ledger, 1, LEDGER_SUCCEEDED, "reply"), 0);
	ck_assert_int_eq(desk_resume(ledger, 2), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(desk_state(ledger, 1), LEDGER_SUCCEEDED);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_RESUMED);
	ck_assert_int_eq(desk_state(ledger, 3), LEDGER_QUEUED);
	ck_assert_int_eq(desk_state(ledger, 6), DESK_ABSENT);
	ledger_close(ledger);
	disk_unmount();
}
END_TEST

START_TEST(a_ledger_is_closed_and_opened_on_a_full_disk)
{
	Ledger *ledger;

	if (!disk_mount())
		return;
	ledger = desk_open();
	for (unsigned n = 0; n < 20; n++)
		ck_assert_int_eq(desk_submit(ledger, n, NULL), 0);
	disk_fill();
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(desk_state(ledger, 19), LEDGER_QUEUED);
	disk_free();
	ck_assert_int_eq(desk_finish(ledger, 19, LEDGER_RECTIFIED, "reply"), 0);
	ledger_close(ledger);
	disk_unmount();
}
END_TEST

START_TEST(a_disk_that_fills_up_stops_at_a_work)
{
	unsigned n = 0;
	Ledger *ledger;
	int r;

	if (!disk_mount())
		return;
	ledger = desk_open();
	while ((r = desk_park(ledger, n, "some records of a run")) == 0)
		n++;
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_gt(n, 10);
	for (unsigned i = 0; i <= n; i++)
		ck_assert_int_eq(desk_state(ledger, i), i < n ? (int)LEDGER_PARKED : DESK_ABSENT);
	ledger_close(ledger);
	disk_unmount();
}
END_TEST

START_TEST(no_ledger_is_made_on_a_full_disk)
{
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger = NULL;

	if (!disk_mount())
		return;
	disk_fill();
	ck_assert_int_eq(ledger_open(scratch_path(""), &desk_machine, &ledger, &problem), -ENOSPC);
	ck_assert_ptr_nonnull(problem);
	disk_free();
	ledger_close(desk_open());
	disk_unmount();
}
END_TEST

CHECK_MAIN(ledger_full, works_wait_for_nobody_on_a_full_disk_and_go_on_when_there_is_space,
	   a_ledger_is_closed_and_opened_on_a_full_disk, a_disk_that_fills_up_stops_at_a_work,
	   no_ledger_is_made_on_a_full_disk)
