#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A state directory that is not free yet: what whoever asks meanwhile is told, and that it ends by itself."""

import fcntl

from busy import module
from tap import Daemon, check, contains, equal, main, scratch, test, wait_for

NOTHING = {"program": "nothing"}


def refusal(reply):
    """The error of a request of which nothing ran."""
    equal((reply["status"], reply["run"]), ("refused", None), f"the answer {reply}")
    return reply["error"]


def state(client):
    return client.ask({"call": "status"})["result"]["state"]


@test
def what_an_earlier_worker_has_started_is_waited_for():
    directory = scratch()
    (directory / "state").mkdir(0o700)
    with open(directory / "state" / "tree", "w") as tree:
        fcntl.flock(tree, fcntl.LOCK_EX)
        with Daemon(module=module(), directory=directory) as daemon, daemon.client() as client:
            check("result" in client.ask({"call": "ping"}), "a ping is not answered")
            found = refusal(client.ask(NOTHING))
            equal((found["name"], found["retry"], state(client)), ("Recovering", True, "recovering"), "the refusal")
            for call in ({"call": "list"}, {"call": "describe", "parameters": {"program": "nothing"}}):
                equal(client.ask(call)["error"]["name"], "Recovering", f"the answer to {call}")
            fcntl.flock(tree, fcntl.LOCK_UN)
            told = []
            def asked_without_a_pause():
                told.extend((client.ask(NOTHING)["error"] or {"name": "succeeded"})["name"] for _ in range(100))
                return told[-1] != "Recovering"
            wait_for(asked_without_a_pause, "the first worker")
            equal(set(told), {"Recovering", "succeeded"}, "what was told until then, and at last")
            equal(state(client), "running", "the state")


@test
def a_directory_that_another_daemon_uses_is_waited_for():
    directory = scratch()
    first = Daemon(module=module(), directory=directory)
    with Daemon(module=module(), args=["--state", first.state]) as second, second.client() as client:
        found = refusal(client.ask(NOTHING))
        equal((found["name"], found["retry"], state(client)), ("StoreBusy", True, "store-busy"), "the refusal")
        contains(found["message"], f"process {first.pid}", "who has it")
        with first.client() as other:
            equal(other.ask(NOTHING)["status"], "succeeded", "a run of the first")
        first.stop()
        reply = wait_for(lambda: (found := client.ask(NOTHING))["status"] != "refused" and found, "the first's end")
        equal(reply["status"], "succeeded", "a run of the second")


main()
