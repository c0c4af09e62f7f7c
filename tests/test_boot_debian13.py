#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other boot tests on the systemd of Debian 13, with the programs that were built here.

Where its root is says RYUSO_DEBIAN13_ROOT; tests/debian13-root makes one. The lines of each story are told as they are,
numbered anew."""

import os
import pathlib
import re
import subprocess
import sys

from machine import HERE, reason_not_to_boot, skip_all

STORIES = sorted(path.name for path in HERE.glob("test_boot*.py") if path.name != pathlib.Path(__file__).name)
ROOT = os.environ.get("RYUSO_DEBIAN13_ROOT")


def tell(story, number):
    """Runs a story, and says what it says; how many results there are now, and whether all is well."""
    process = subprocess.Popen(["python3", HERE / story], env={**os.environ, "RYUSO_BOOT_ROOT": ROOT}, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    failed, first = 0, number
    for line in process.stdout:
        result = re.match(r"(not )?ok \d+ - (.*)", line)
        if result:
            number += 1
            failed += 1 if result[1] else 0
            print(f"{result[1] or ''}ok {number} - {story}: {result[2]}", flush=True)
        elif not line.startswith("1.."):
            print(line, end="", flush=True)
    status = process.wait()
    if number == first or (status != 0 and failed == 0):
        number, failed = number + 1, failed + 1
        print(f"not ok {number} - {story}: it ended with status {status} after {number - first - 1} results", flush=True)
    return number, failed == 0


def main():
    reason = reason_not_to_boot()
    if not ROOT:
        reason = "RYUSO_DEBIAN13_ROOT is not set: tests/debian13-root DIR makes such a root, from a mirror of Debian"
    if reason:
        skip_all(reason)
    number, well = 0, True
    for story in STORIES if len(sys.argv) < 2 else sys.argv[1:]:
        number, good = tell(story, number)
        well = well and good
    print(f"1..{number}", flush=True)
    sys.exit(0 if well else 1)


main()
