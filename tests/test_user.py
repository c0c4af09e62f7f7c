#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A user's own daemon: what is where, without a service manager. The boot tests have it under one."""

import json
import shutil

from busy import module
from tap import Client, Process, check, contains, environment, equal, main, program, run, scratch, test, wait_for


class Own(Process):
    """ryusod --user with a home of its own; its socket is where a service manager would have it."""

    def __init__(self, home, *arguments, instance="ryuso", **variables):
        self.home = home
        usual = {"HOME": home, "XDG_RUNTIME_DIR": home / "run", "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None,
                 "STATE_DIRECTORY": None}
        self.env = environment(**{**usual, **variables})
        self.socket = home / "run/ryuso" / f"{instance}.sock"
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        super().__init__([program("ryusod"), "--user", "--socket", self.socket, "--instance", instance, *arguments],
                         env=self.env, directory=home)
        wait_for(lambda: self.ended() or self.connects(), "the socket")

    def connects(self):
        try:
            Client(self.socket).close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def ctl(self, *arguments, status=0):
        return run(program("ryusoctl"), "--user", *arguments, env=self.env, status=status)

    def status(self):
        return json.loads(self.ctl("status", "--json=short").stdout)


def with_module(*names):
    home = scratch()
    directory = home / ".local/lib/ryuso"
    directory.mkdir(parents=True)
    for name in names:
        shutil.copy(module(), directory / f"{name}.so")
    return home


@test
def modules_are_sought_below_the_home_directory_first():
    home = with_module("busy")
    with Own(home) as daemon:
        wait_for(lambda: daemon.status()["state"] == "running", "the module")
        contains(json.dumps(daemon.status()), str(home / ".local/lib/ryuso/busy.so"), "the status")


@test
def an_instance_has_the_module_of_its_name():
    home = with_module("busy", "other")
    with Own(home, instance="other") as daemon:
        def loaded():
            return str(home / ".local/lib/ryuso/other.so") in daemon.ctl("-I", "other", "status", "--json=short").stdout
        wait_for(loaded, "the module")


@test
def where_there_is_no_module_the_users_directory_is_named_among_those_where_it_is_sought():
    home = scratch()
    with Own(home, instance="absent") as daemon:
        said = daemon.ctl("-I", "absent", "run", "x", status=3).stderr
        contains(said, f"there is no module absent.so in {home}/.local/lib/ryuso, ", "the refusal")


@test
def the_state_is_below_the_home_directory():
    home = with_module("busy")
    with Own(home) as daemon:
        wait_for(lambda: daemon.status()["state"] == "running", "the module")
        place = home / ".local/state/ryuso/ryuso"
        check((place / "ledger.sqlite").exists(), f"expected a ledger in {place}")


@test
def the_settings_are_below_the_home_directory_and_nowhere_else():
    home = with_module("busy", "other")
    settings = home / "elsewhere/ryuso"
    (settings / "other.conf.d").mkdir(parents=True)
    (settings / "ryuso.conf").write_text("[Daemon]\nQueueLength=7\n")
    (settings / "other.conf.d/module.conf").write_text("[Daemon]\nModule=busy\n")
    with Own(home, instance="other", XDG_CONFIG_HOME=home / "elsewhere") as daemon:
        def loaded():
            return str(home / ".local/lib/ryuso/busy.so") in daemon.ctl("-I", "other", "status", "--json=short").stdout
        wait_for(loaded, "the module that the settings name")
        shown = run(program("ryusod"), "--user", "--instance=other", "--show-config", env=daemon.env).stdout
        for path in ("ryuso.conf", "other.conf.d/module.conf"):
            contains(shown, f"{settings}/{path}", "where the settings come from")
    nothing = scratch()
    shown = run(program("ryusod"), "--user", "--show-config",
                env=environment(HOME=nothing, XDG_CONFIG_HOME=None)).stdout
    check("/ryuso.conf" not in shown, f"expected settings of nobody else, got {shown}")


@test
def what_an_operator_is_told_to_type_is_for_the_users_daemon():
    home = with_module("busy")
    with Own(home) as daemon:
        wait_for(lambda: daemon.status()["state"] == "running", "the module")
        daemon.ctl("hold", "--reason=a drill")
        daemon.wait_log("(ryusoctl --user resume)")
        said = daemon.ctl("run", "absent", status=3).stderr
        contains(said, "ryusoctl --user list", "the hint")


@test
def where_there_is_no_daemon_the_advice_is_to_ask_the_users_service_manager():
    said = run(program("ryusoctl"), "--user", "-I", "wallet", "ping", env=environment(XDG_RUNTIME_DIR=scratch()),
               status=69).stderr
    contains(said, "systemctl --user start ryuso@wallet.socket", "the advice")


main()
