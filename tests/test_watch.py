#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon tells the service manager, and that it never spins for want of a worker."""

import math
import os
import signal
import time

from busy import Gate, Log, busy, children, kill_workers, module, outcome, status, terminate, workers
from supervisor import Notified
from tap import Daemon, check, contains, equal, main, program, scratch, test, wait_for

NOTHING = {"program": "nothing"}


# ---- status ----

@test
def the_status_line_says_what_runs_how_many_wait_and_how_many_are_parked():
    with Notified() as manager, busy(env=manager.env()) as daemon, daemon.client() as holder, \
            daemon.client() as client:
        manager.wait("READY=1")
        wait_for(lambda: (manager.status() or "").startswith("running: busy, "), "the module in the status line")
        equal(outcome(client.ask({"program": "stuck"}))[0], "parked", "a run")
        gate = Gate(holder)
        wait_for(lambda: "; gate runs; 1 run is parked" in manager.status(), "what runs")
        client.send(*[NOTHING] * 3)
        wait_for(lambda: "; gate runs; 3 runs wait; 1 run is parked" in manager.status(), "what waits")
        gate.open()
        client.replies(3)
        wait_for(lambda: "programs; 1 run is parked" in manager.status(), "that nothing runs")


@test
def the_status_line_says_that_a_run_is_being_rectified():
    log, path = Log(), scratch() / "open"
    with Notified() as manager, busy(env=manager.env()) as daemon, daemon.client() as client:
        client.send({"program": "reverse", "data_pool": {"log": str(log), "word": "back", "file": str(path)}})
        log.wait("back")
        wait_for(lambda: "; reverse is being rectified" in manager.status(), "what goes on")
        path.touch()
        equal(outcome(client.reply()), ("rectified", "HookFailed"), "the run")


@test
def the_status_line_is_told_once_a_second_at_most_and_only_when_it_has_changed():
    with Notified() as manager:
        begin = time.monotonic()
        with busy(env=manager.env()) as daemon, daemon.client() as client:
            for _ in range(100):
                client.send(*[NOTHING] * 50)
                client.replies(50)
                manager.listen()
            wait_for(lambda: manager.status() and " wait" not in manager.status(), "the end of it")
        took = time.monotonic() - begin
        lines = [line for line in manager.listen() if line.startswith("STATUS=")]
    # one when it starts, one when it runs, one when it stops
    check(len(lines) <= took + 3, f"expected one line in a second at most, got {lines} in {took:.3f} s")
    check(all(one != other for one, other in zip(lines, lines[1:])), f"expected changes: {lines}")


# ---- watchdog ----

@test
def signs_of_life_are_given_at_the_watchdogs_pace_also_while_a_hook_runs():
    with Notified() as manager, busy(env=manager.env(WATCHDOG_USEC=200000)) as daemon, daemon.client() as client:
        contains("\n".join(manager.listen()), "EXTEND_TIMEOUT_USEC=600000000", "what is asked before the store is read")
        manager.wait("WATCHDOG=1", 3)
        gate = Gate(client)
        manager.wait("WATCHDOG=1", manager.count("WATCHDOG=1") + 3)
        gate.open()
        client.reply()


@test
def without_a_watchdog_there_are_none():
    with Notified() as manager:
        with busy(env=manager.env()) as daemon, daemon.client() as client:
            client.ask(NOTHING)
        equal((manager.count("WATCHDOG=1"), manager.count("EXTEND")), (0, 0), "signs of life, words about time")


# ---- the time to stop in ----

def reversal(daemon, client, log, path):
    """A run that is being rectified, and waits for a file."""
    client.send({"program": "reverse", "data_pool": {"log": str(log), "word": "back", "file": str(path)}})
    log.wait("back")


@test
def a_reversal_outlasts_the_time_to_stop_in_and_more_time_is_asked_for():
    log, path = Log(), scratch() / "open"
    with Notified() as manager:
        daemon = busy({"StopTimeout": "1s"}, env=manager.env())
        with daemon.client() as client:
            reversal(daemon, client, log, path)
            terminate(daemon)
            manager.wait("EXTEND_TIMEOUT_USEC=30000000", 2)  # the second one is asked for after five seconds
            path.touch()
            reply = client.reply()
            equal(outcome(reply), ("rectified", "HookFailed"), "the run")
            equal(reply["remaining"], [], "what remains")
        equal(daemon.wait(), 0, "the exit status")
        check("recorder" not in os.listdir(daemon.state), "expected nothing unfinished")


@test
def a_reversal_that_takes_longer_than_it_may_is_cut_off_and_goes_on_at_the_next_start():
    log, path, directory = Log(), scratch() / "open", scratch()
    with Notified() as manager:
        daemon = busy({"StopTimeout": "100ms", "StopTimeoutRectifying": "300ms"}, directory=directory,
                      env=manager.env())
        with daemon.client() as client:
            reversal(daemon, client, log, path)
            terminate(daemon)
            equal(client.reply(), None, "the connection's end")
        equal(daemon.wait(), 0, "the exit status")
        contains(daemon.log(), "had not ended when StopTimeoutRectifying= had passed", "the log")
        equal(manager.count("EXTEND"), 1, "how often more time was asked for")
    path.touch()
    with busy(directory=directory) as daemon:
        wait_for(lambda: status(daemon)["runs"]["rectified"] == 1, "the end of the reversal")


@test
def for_a_run_that_goes_forwards_no_more_time_is_asked_for():
    with Notified() as manager:
        daemon = busy({"StopTimeout": "200ms", "StopTimeoutRectifying": "1h"}, env=manager.env())
        with daemon.client() as client:
            Gate(client)
            terminate(daemon)
            equal(client.reply(), None, "the connection's end")
        equal(daemon.wait(), 0, "the exit status")
        contains(daemon.log(), "had not ended when StopTimeout= had passed", "the log")
        equal(manager.count("EXTEND"), 0, "how often more time was asked for")


# ---- no worker ----

def worker_file(text, mode=0o755):
    path = scratch() / "worker"
    path.write_text(text)
    path.chmod(mode)
    return path


def module_file(content):
    path = scratch() / "module.so"
    path.write_bytes(content)
    return path


def failures(daemon):
    with daemon.client() as client:
        metrics = {metric["name"]: metric for metric in client.ask({"call": "metrics"})["result"]["metrics"]}
    return metrics["ryuso_worker_failures_total"]["samples"][0]["value"]


def tries(seconds):
    """How often a worker may be tried in that time at most: at once, after 1 s, 2 s, 4 s …"""
    return 1 + math.floor(math.log2(1 + seconds))


NO_WORKER = {
    "its file is missing": ({"RYUSO_WORKER": "/nonexistent/worker"}, None, "cannot start /nonexistent/worker: No such"),
    "its file is not executable": ({"RYUSO_WORKER": worker_file("", 0o644)}, None, "Permission denied"),
    "its file is no program": ({"RYUSO_WORKER": worker_file("\x7fELF nonsense")}, None, "Exec format error"),
    "its interpreter is missing": ({"RYUSO_WORKER": worker_file("#!/nonexistent/shell\n")}, None, "No such file"),
    "it exits at once": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nexit 3\n")}, None, "before it was ready"),
    "it exits at once and well": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nexit 0\n")}, None, "before it was ready"),
    "it kills itself": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nkill -9 $$\n")}, None, "before it was ready"),
    "it says nonsense": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nprintf nonsense >&3\nexec sleep 60\n")}, None,
                         "before it was ready"),
    "it stops itself": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nkill -STOP $$\n")}, None, "stopped itself"),
    "it never says anything": ({"RYUSO_WORKER": worker_file("#!/bin/sh\nexec sleep 60\n")}, None, "ModuleTimeout="),
    "the module is missing": ({}, "/nonexistent/module.so", "cannot open /nonexistent/module.so"),
    "the module is no module": ({}, module_file(b"no module at all"), "module.so: "),
    "the module is a program": ({}, module_file(open(program("ryusoctl"), "rb").read()), "module.so: "),
    "the module is cut off": ({}, module_file(open(module(), "rb").read()[:4096]), "module.so: "),
}


@test
def where_no_worker_can_be_had_requests_are_refused_by_name_and_the_daemon_does_not_spin():
    for case, (variables, path, expected) in NO_WORKER.items():
        begin = time.monotonic()
        with Daemon(module=path or module(), env=variables, settings={"ModuleTimeout": "200ms"}) as daemon, \
                daemon.client() as client:
            for _ in range(200):
                reply = client.ask(NOTHING)
                equal(outcome(reply), ("refused", "NoModule"), f"a request where {case}")
                check(reply["error"]["retry"], f"{case}: expected that it may be tried again")
            contains(reply["error"]["message"], expected, f"the message where {case}")
            equal(status(daemon)["state"], "no-module", f"the state where {case}")
            wait_for(lambda: failures(daemon) >= 2, f"another try where {case}")
            found, allowed = failures(daemon), tries(time.monotonic() - begin)
            check(found <= allowed, f"{case}: expected {allowed} tries at most, got {found}")
            check(status(daemon)["workers_started"] <= found, f"{case}: expected no more starts than failures")
            wait_for(lambda: daemon.log().count("trying again in") >= found, f"words of it in the log where {case}")


@test
def when_workers_can_be_had_again_requests_are_served():
    directory = scratch()
    worker = directory / "worker"
    worker.symlink_to(program("ryuso-worker"))
    broken = worker_file("#!/bin/sh\nexit 3\n")
    with busy(env={"RYUSO_WORKER": worker}) as daemon, daemon.client() as client:
        wait_for(lambda: len(workers(daemon.pid)) == 2, "a worker and a spare")
        replace(worker, broken)
        kill_workers(daemon)
        wait_for(lambda: outcome(client.ask(NOTHING)) == ("refused", "NoModule"), "the refusal")
        begin, before = time.monotonic(), failures(daemon)
        wait_for(lambda: failures(daemon) >= before + 2, "further tries")
        found, allowed = failures(daemon) - before, tries(time.monotonic() - begin) + 1
        check(found <= allowed, f"expected {allowed} tries at most, got {found}")
        replace(worker, program("ryuso-worker"))
        wait_for(lambda: client.ask(NOTHING)["success"], "a worker")


def replace(link, target):
    other = link.with_name("other")
    other.symlink_to(target)
    os.rename(other, link)


@test
def a_spare_that_cannot_be_had_is_tried_less_and_less_while_the_worker_serves():
    directory = scratch()
    worker = directory / "worker"
    worker.symlink_to(program("ryuso-worker"))
    with busy(env={"RYUSO_WORKER": worker}) as daemon, daemon.client() as client:
        wait_for(lambda: len(workers(daemon.pid)) == 2, "a worker and a spare")
        replace(worker, worker_file("#!/bin/sh\nexit 3\n"))
        [spare] = children(daemon.pid) - {status(daemon)["worker_pid"]}
        begin = time.monotonic()
        os.kill(spare, signal.SIGKILL)
        while failures(daemon) < 2:
            check(client.ask(NOTHING)["success"], "a run meanwhile")
        found, allowed = failures(daemon), tries(time.monotonic() - begin)
        check(found <= allowed, f"expected {allowed} tries at most, got {found}")


@test
def workers_that_die_as_soon_as_they_have_taken_over_are_replaced_less_and_less():
    begin, killed = time.monotonic(), {None}
    with busy() as daemon, daemon.client() as client:
        for _ in range(4):
            pid = wait_for(lambda: {status(daemon).get("worker_pid")} - killed, "another worker").pop()
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        allowed = tries(time.monotonic() - begin)
        check(len(killed) - 1 <= allowed, f"expected {allowed} workers at most that took over, got {len(killed) - 1}")
        check(failures(daemon) >= 3, "expected each to count as a failure")
        check(client.ask(NOTHING)["success"], "a run when they live")


main()
