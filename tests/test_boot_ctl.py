#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl on a machine: a systemd that was really booted, with a daemon that sleeps until somebody connects, and a
journal that not everybody may read. The tests are one story."""

import json
import pathlib

from machine import INSIDE, boot, install_as_the_readme_says, main_pid, member, root, stranger, unit
from tap import check, equal, main, test

COMPLETION = pathlib.Path("/usr/share/bash-completion/completions/ryusoctl")


def instances(who, *words):
    found = json.loads(who("ryusoctl", "instances", "--json", *words).stdout)["instances"]
    return {item["instance"]: item for item in found if item["scope"] == "system"}


@test
def a_daemon_that_sleeps_is_listed_and_left_asleep():
    install_as_the_readme_says()
    root("systemctl", "start", "ryuso.socket", "ryuso@wallet.socket")
    for who in (root, member):
        found = instances(who)
        equal({name: item["state"] for name, item in found.items()}, {"ryuso": "asleep", "wallet": "asleep"}, "the states")
        equal((unit("ryuso.service", "ActiveState"), unit("ryuso@wallet.service", "ActiveState")),
              ("inactive", "inactive"), "the services")


@test
def who_may_not_connect_sees_that_it_is_closed():
    equal({name: item["state"] for name, item in instances(stranger).items()}, {"ryuso": "closed", "wallet": "closed"},
          "the states")


@test
def one_that_is_awake_is_asked_and_with_wake_so_are_the_others():
    member("ryusoctl", "ping")
    found = instances(member)
    equal((found["ryuso"]["state"], found["wallet"]["state"]), ("no-module", "asleep"), "the states")
    equal(unit("ryuso@wallet.service", "ActiveState"), "inactive", "the other service")
    found = instances(member, "--wake")
    equal((found["ryuso"]["state"], found["wallet"]["state"]), ("no-module", "no-module"), "the states")
    check(main_pid("ryuso@wallet.service") > 0, "expected it to be started")


@test
def completion_is_where_shells_look():
    check(COMPLETION.exists(), f"expected {COMPLETION}")
    check(pathlib.Path("/usr/share/zsh/vendor-completions/_ryusoctl").exists(), "expected it for zsh")


if not INSIDE:
    boot()
main()
