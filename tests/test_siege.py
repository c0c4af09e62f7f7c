# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile clients of many kinds, one by one and all at once: others go on being served, and what the daemon holds for
each is bounded."""

import contextlib
import os
import pathlib
import re

from busy import busy, outcome, status
from project import SANITIZED
from shop import As
from siege import KINDS, Hostile
from tap import check, equal, main, ok, test, wait_for

NOTHING = {"program": "nothing"}
HONEST_UID = 4711
MIB = 1 << 20
BYTES = 4 * MIB  # MaxBytesPerUser=: of requests being received, of runs, and of replies
SLACK = 24 * MIB  # what buffers have beyond their content, and what reading one request takes in passing
KEPT = 32 * MIB  # what malloc(3) may keep of what was freed
SETTINGS = {"MaxBytesPerUser": "4M", "MaxUnreadReplies": "1M", "RequestTimeout": "500ms", "ReplyTimeout": "500ms",
            "Trace": "failures"}


def memory(daemon):
    """Bytes that are its own: neither files nor what is shared."""
    text = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s*(\d+) kB", text).group(1)) * 1024


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def quiet(daemon):
    """Nobody is connected, and nothing waits."""
    wait_for(lambda: status(daemon)["connections"] == 1 and status(daemon)["queued"] == 0, "all to be gone")
    wait_for(lambda: status(daemon)["workers_started"] >= 2 and "running" not in status(daemon), "the spare")


def serve_honest(daemon, count):
    """Each run of another user's is served, on a connection of its own and on one that is kept. What the daemon held at
    most meanwhile."""
    most = 0
    with As(daemon.socket, HONEST_UID) as kept:
        for _ in range(count):
            equal(outcome(kept.ask(NOTHING)), ("succeeded", None), "an honest run")
            with As(daemon.socket, HONEST_UID) as fresh:
                equal(outcome(fresh.ask(NOTHING)), ("succeeded", None), "an honest run on a new connection")
            most = max(most, memory(daemon))
    return most


def besieged():
    daemon = busy(SETTINGS)
    daemon.socket.parent.chmod(0o711)
    daemon.socket.chmod(0o666)
    with daemon.client() as client:  # more than a recorder holds: what it has once, it has from now on
        for _ in range(100):
            check(client.ask({"program": "echo", "data_pool": {"text": "x" * 200000}})["success"], "a run before")
    quiet(daemon)
    serve_honest(daemon, 5)
    return daemon


def bounded(found, before, users):
    limit = before + users * 3 * BYTES + SLACK
    return bool(SANITIZED) or found <= limit


@test
def each_kind_of_hostile_client_leaves_others_served_and_is_bounded_in_memory():
    with besieged() as daemon:
        for kind in KINDS:
            before, fds = memory(daemon), descriptors(daemon)
            with Hostile(daemon.socket, kind):
                most = serve_honest(daemon, 15)
                connections = status(daemon)["connections"] - 1
            quiet(daemon)
            print(f"# {kind.__name__}: {(most - before) // 1024} KiB for {connections} connections")
            ok(f"beside this others are served, and no more is held than may be: {kind.__doc__.rstrip('.')}",
               bounded(most, before, 1), f"{before} bytes before, {most} at most")
            wait_for(lambda fds=fds: descriptors(daemon) <= fds, f"the descriptors to be {fds} again")


@test
def all_hostile_clients_at_once_leave_others_served_and_nothing_behind():
    with besieged() as daemon:
        before, fds = memory(daemon), descriptors(daemon)
        with contextlib.ExitStack() as stack:
            for kind in KINDS:
                stack.enter_context(Hostile(daemon.socket, kind))
            most = serve_honest(daemon, 40)
            with daemon.client() as operator:
                connections = operator.ask({"call": "status"})["result"]["connections"] - 1
        quiet(daemon)
        print(f"# all: {(most - before) // 1024} KiB for {connections} connections of {len(KINDS)} users, "
              f"{(memory(daemon) - before) // 1024} KiB afterwards")
        check(bounded(most, before, len(KINDS)), f"{before} bytes before, {most} at most")
        wait_for(lambda: descriptors(daemon) <= fds, f"the descriptors to be {fds} again")
        check(SANITIZED or memory(daemon) <= before + KEPT, f"{before} bytes before, {memory(daemon)} afterwards")
        serve_honest(daemon, 5)


main()
