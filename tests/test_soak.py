#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A short soak; tests/soak SECONDS is a long one."""

import subprocess
import sys

from tap import TOP_SOURCE, check, environment, main, test

SECONDS = 20


@test
def whatever_goes_wrong_for_a_while_every_answer_stays_true():
    done = subprocess.run([sys.executable, TOP_SOURCE / "tests/soak", str(SECONDS)], env=environment(), check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="", flush=True)
    check(done.returncode == 0, f"exit status {done.returncode}")


main()
