#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service manager sees, and does, of a daemon on a machine: a systemd that was really booted.

The module `gate` writes each thing that it does into a diary. The tests build on each other, as those of test_boot.py
do."""

import json
import os
import pathlib
import re
import signal
import tempfile
import time

from machine import (INSIDE, STATE, Gate, InBackground, alarms, ask, boot, bring_project, failed_units,
                     install_as_the_readme_says, install_project, journal, journal_of, main_pid, member, root, unit,
                     wait_active)
from tap import Client, check, contains, equal, main, skip, test, wait_for

SERVICE, SOCKET, RECOVERY = "ryuso@gate.service", "ryuso@gate.socket", "ryuso-recover@gate.service"
HERE = STATE / "gate"
SETTINGS = pathlib.Path("/etc/ryuso/ryuso.conf.d/test.conf")
DROP_IN = pathlib.Path(f"/run/systemd/system/{SERVICE}.d/test.conf")
GOES_ON = "37421af1edea46478929e6a8076470f6"
MEMORY = 96 << 20  # of the service, all processes together


def diary(thing):
    path = HERE / "diary"
    lines = [line.split(" (")[0] for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in lines if line.rstrip("?").endswith(f" {thing}")]


def gate(*arguments, status=0):
    return ask("-I", "gate", *arguments, status=status)


def set_daemon(*lines):
    SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    SETTINGS.write_text("".join(line + "\n" for line in ("[Daemon]", *lines)))


def set_service(*lines):
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text("".join(line + "\n" for line in ("[Service]", *lines)))
    root("systemctl", "daemon-reload")


def restart_plain():
    """As it is shipped."""
    SETTINGS.unlink(missing_ok=True)
    DROP_IN.unlink(missing_ok=True)
    root("systemctl", "daemon-reload")
    root("systemctl", "restart", SERVICE)


def in_the_way(name, there=True):
    if there:
        (HERE / name).touch()
    else:
        (HERE / name).unlink()


def restarts():
    return int(unit(SERVICE, "NRestarts"))


@test
def the_gate_is_installed_and_the_watchdog_is_set():
    install_as_the_readme_says()
    bring_project("gate")
    install_project("gate")
    root("systemctl", "enable", "--now", SOCKET)
    equal(gate("run", "lay", "thing=cup")["status"], "succeeded", "a run")
    equal((unit(SERVICE, "WatchdogUSec"), unit(SERVICE, "OOMPolicy")), ("1min", "continue"), "the unit")
    check(unit(SERVICE, "WatchdogTimestampMonotonic") != "0", "expected a sign of life")


@test
def systemctl_status_says_what_runs_and_how_many_wait():
    door, client = Gate(), InBackground("-I", "gate", "--json=short", "run", "carry", "thing=pot")
    door.wait_for_hook()
    waiting = [InBackground("-I", "gate", "--json=short", "run", "lay", "thing=lid") for _ in range(2)]
    wait_for(lambda: "carry runs; 2 runs wait" in unit(SERVICE, "StatusText"), "what runs, in systemctl status")
    contains(root("systemctl", "status", SERVICE).stdout, "carry runs; 2 runs wait", "systemctl status")
    door.open()
    for each in (client, *waiting):
        equal(json.loads(each.end(0))["status"], "succeeded", "the reply")
    wait_for(lambda: "runs" not in unit(SERVICE, "StatusText"), "the end of it, in systemctl status")


# ---- the watchdog ----

@test
def a_daemon_that_stands_still_is_started_again_and_its_run_is_recovered():
    set_service("WatchdogSec=2s")
    root("systemctl", "restart", SERVICE)
    before = restarts()
    door, client = Gate(), InBackground("-I", "gate", "--json=short", "run", "carry", "thing=pan")
    door.wait_for_hook()
    pid = main_pid(SERVICE)
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_active(SERVICE, pid)
    finally:
        if main_pid(SERVICE) == pid:
            os.kill(pid, signal.SIGCONT)
    reply = json.loads(client.end(1))
    equal((reply["status"], reply["error"]["name"], reply["remaining"]), ("rectified", "Interrupted", []), "the reply")
    equal(diary("pan"), ["take pan", "hold pan", "let_go pan?", "bring_back pan"], "what was done")
    equal(restarts(), before + 1, "how often it was started again")
    said = [entry["MESSAGE"] for entry in journal("_PID=1", f"UNIT={SERVICE}")]
    check(any("watchdog" in line.lower() for line in said), f"expected systemd to say why: {said[-10:]}")
    equal([entry["_PID"] for entry in journal_of(reply["run"]) if entry["MESSAGE_ID"] == GOES_ON],
          [str(main_pid(SERVICE))], "who says that it goes on")
    os.close(door.fd)


@test
def a_hook_that_takes_longer_than_the_watchdog_waits_is_left_alone():
    before, stamp = restarts(), unit(SERVICE, "WatchdogTimestampMonotonic")
    door, client = Gate(), InBackground("-I", "gate", "--json=short", "run", "carry", "thing=jar")
    door.wait_for_hook()
    signs = {stamp}
    def three_intervals():
        signs.add(unit(SERVICE, "WatchdogTimestampMonotonic"))
        return max(int(sign) for sign in signs) - int(stamp) > 6000000
    wait_for(three_intervals, "signs of life for three times as long")
    door.open()
    equal(json.loads(client.end(0))["status"], "succeeded", "the reply")
    equal(restarts(), before, "how often it was started again")


# ---- the time to stop in ----

@test
def a_reversal_is_not_cut_off_by_the_stop_time_of_the_unit():
    set_daemon("StopTimeout=1s")
    set_service("TimeoutStopSec=2s")
    root("systemctl", "restart", SERVICE)
    pid = main_pid(SERVICE)
    in_the_way("put")
    door, client = Gate(), InBackground("-I", "gate", "--json=short", "run", "lean", "thing=mug")
    door.wait_for_hook()
    equal(diary("mug"), ["take mug", "lean mug", "hold mug"], "what was done until then")
    root("systemctl", "restart", "--no-block", SERVICE)
    wait_for(lambda: unit(SERVICE, "ActiveState") == "deactivating", "the stop")
    time.sleep(4)  # no wait: twice the time after which systemd would kill it
    equal((unit(SERVICE, "ActiveState"), main_pid(SERVICE)), ("deactivating", pid), "the service")
    door.open()
    reply = json.loads(client.end(1))
    equal((reply["status"], reply["error"]["name"]), ("rectified", "HookFailed"), "the reply")
    equal(diary("mug")[3:], ["bring_back mug"], "what was done then")
    wait_active(SERVICE, pid)
    equal({entry["_PID"] for entry in journal_of(reply["run"]) if entry.get("RYUSO_OUTCOME")}, {str(pid)},
          "who has carried it to its end")
    check(not any("timed out" in entry["MESSAGE"] for entry in journal("_PID=1", f"UNIT={SERVICE}")),
          "expected no time-out of the stop")
    in_the_way("put", False)
    restart_plain()


# ---- memory ----

def limit_memory():
    """The service may have only so much; the file that counts who is killed for it. Where systemd has no control of
    memory, the kernel's older one does it."""
    if "memory" in pathlib.Path("/sys/fs/cgroup/cgroup.controllers").read_text().split():
        set_service(f"MemoryMax={MEMORY}", "MemorySwapMax=0")
        root("systemctl", "restart", SERVICE)
        return pathlib.Path("/sys/fs/cgroup" + unit(SERVICE, "ControlGroup")) / "memory.events"
    place = pathlib.Path("/run/memory")
    place.mkdir(exist_ok=True)
    if root("mount", "-t", "cgroup", "-o", "memory", "cgroup", place, status=None).returncode != 0:
        skip("nothing controls the memory of a service here")
    group = pathlib.Path(tempfile.mkdtemp(prefix="ryuso-", dir=place))
    (group / "memory.limit_in_bytes").write_text(str(MEMORY))
    pid = main_pid(SERVICE)
    workers = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (str(pid), *workers):
        (group / "cgroup.procs").write_text(each)
    return group / "memory.oom_control"


def killed(events):
    return int(re.search(r"^oom_kill (\d+)$", events.read_text(), re.MULTILINE)[1])


@test
def a_worker_that_the_kernel_kills_for_its_memory_is_an_unknown_step_and_the_daemon_lives():
    gate("run", "lay", "thing=fork")
    events = limit_memory()
    gate("run", "lay", "thing=spoon")
    pid, before = main_pid(SERVICE), restarts()
    equal(killed(events), 0, "processes that were killed for memory")
    reply = gate("run", "gorge", "thing=pie", status=1)
    equal((reply["status"], reply["error"]["name"], reply["error"]["hook"]), ("rectified", "HookUnknown", "gorge"),
          "the reply")
    contains(reply["error"]["message"], "killed by signal 9", "the message")
    equal(killed(events), 1, "processes that were killed for memory")
    equal(diary("pie"), ["take pie", "gorge pie", "let_go pie?", "bring_back pie"], "what was done")
    equal(gate("run", "lay", "thing=plate")["status"], "succeeded", "the next run")
    equal((main_pid(SERVICE), restarts(), unit(SERVICE, "ActiveState"), unit(SERVICE, "SubState")),
          (pid, before, "active", "running"), "the service")
    restart_plain()
    if events.name == "memory.oom_control":  # the group is the kernel's, and would outlast this machine
        events.parent.rmdir()


# ---- nothing to do ----

@test
def a_dozen_times_a_minute_it_ends_for_want_of_work_and_is_started_by_the_next_client():
    set_daemon("IdleExit=100ms")
    root("systemctl", "restart", SERVICE)
    begin, pids = time.monotonic(), set()
    for number in range(12):
        equal(gate("run", "lay", f"thing=nail{number}")["status"], "succeeded", "a run")
        wait_for(lambda: unit(SERVICE, "ActiveState") == "inactive", "the end of the daemon")
        pids.add(unit(SERVICE, "ExecMainPID"))
        check(not (HERE / "recorder").exists(), "expected no recorder where all has ended")
        equal((unit(SERVICE, "Result"), unit(SOCKET, "ActiveState")), ("success", "active"), "service and socket")
    took = time.monotonic() - begin
    equal(len(pids), 12, f"daemons that ended, in {took:.1f} s")
    equal(failed_units() & {SERVICE, SOCKET, RECOVERY}, set(), "failed units")
    equal(unit(RECOVERY, "ActiveState"), "inactive", "the recovery, which nothing calls for")


@test
def clients_that_connect_when_it_ends_are_served_by_the_next():
    path = f"/run/ryuso/{SOCKET.split('@')[1]}".replace(".socket", ".sock")
    began = int(unit(SERVICE, "ExecMainStartTimestampMonotonic"))
    for number in range(40):
        wait_for(lambda: unit(SERVICE, "ActiveState") in ("deactivating", "inactive"), "the end of the daemon")
        with Client(path) as client:
            client.send({"program": "lay", "data_pool": {"thing": f"pin{number}"}})
            equal(client.reply()["status"], "succeeded", "a run")
    check(int(unit(SERVICE, "ExecMainStartTimestampMonotonic")) > began, "expected other daemons")
    equal(failed_units() & {SERVICE, SOCKET, RECOVERY}, set(), "failed units")


@test
def a_daemon_that_is_wanted_while_it_ends_is_there_afterwards():
    gate("run", "lay", "thing=hook")
    wait_for(lambda: unit(SERVICE, "ActiveState") == "inactive", "the end of the daemon")
    root("systemctl", "start", SERVICE)
    equal(unit(SERVICE, "ActiveState"), "active", "the service")
    wait_for(lambda: unit(SERVICE, "ActiveState") == "inactive", "the end of the daemon")
    equal(unit(SERVICE, "Result"), "success", "the service")
    restart_plain()


# ---- metrics ----

@test
def the_metrics_are_those_of_this_daemon():
    for number in range(3):
        gate("run", "lay", f"thing=key{number}")
    with Client("/run/ryuso/gate.sock") as client:
        found = {metric["name"]: metric["samples"] for metric in client.ask({"call": "metrics"})["result"]["metrics"]}
    equal(found["ryuso_info"][0]["labels"]["instance"], "gate", "the instance")
    runs = {tuple(sample["labels"].values()): sample["value"] for sample in found["ryuso_runs_total"]}
    equal(runs["lay", "succeeded"], 3, "runs since the daemon was started")


@test
def no_program_of_ours_has_sounded_an_alarm():
    equal(alarms("Sanitizer|runtime error|core dumped|damaged"), "", "alarms")


if not INSIDE:
    boot()
main()
