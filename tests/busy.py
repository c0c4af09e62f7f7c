# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module tests/modules/busy.c and what tests that use it share: its path, its log, gates that hold a run."""

import os
import pathlib
import signal

from tap import TOP_BUILD, Daemon, check, scratch, wait_for


def module(name="busy"):
    path = pathlib.Path(os.environ.get("RYUSO_TEST_MODULES") or TOP_BUILD / "tests" / "modules") / f"{name}.so"
    check(path.exists(), f"no module {path}: build it, or set RYUSO_TEST_MODULES")
    return str(path.resolve())


class Log:
    """The file that the hooks of a test write into, line by line."""

    def __init__(self):
        self.path = scratch() / "hooks.log"

    def __str__(self):
        return str(self.path)

    def lines(self):
        return self.path.read_text().splitlines() if self.path.exists() else []

    def wait(self, line):
        wait_for(lambda: line in self.lines(), f"{line!r} in the hooks' log")


class Gate:
    """A run that has begun, and does not end before open()."""

    def __init__(self, client, word="gate", log=None, **members):
        self.client = client
        self.log = log or Log()
        self.file = scratch() / "open"
        client.send({"program": "gate", "data_pool": {"log": str(self.log), "word": word, "file": str(self.file)},
                     **members})
        self.log.wait(word)

    def open(self):
        self.file.touch()


def busy(settings=None, **options):
    """A daemon with the module; readiness includes that the module is in use."""
    daemon = Daemon(module=module(), settings=settings, **options)
    wait_for(lambda: status(daemon)["state"] != "starting", "the first worker")
    return daemon


def status(daemon):
    with daemon.client() as client:
        return client.ask({"call": "status"})["result"]


def say(log, word, **members):
    return {"program": "say", "data_pool": {"log": str(log), "word": word}, **members}


def error(reply):
    check(reply is not None, "the connection ended without an answer")
    return reply["error"] and reply["error"]["name"]


def outcome(reply):
    check(reply is not None, "the connection ended without an answer")
    return reply.get("status"), error(reply)


def children(pid):
    """Pids of a process's children."""
    found = set()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found.update(int(child) for child in (task / "children").read_text().split())
    return found


def workers(pid):
    """Those of a daemon's children that have become workers: they are not looked for in the file any more."""
    found = set()
    for child in children(pid):
        try:
            if pathlib.Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"ryuso-worker\0"):
                found.add(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def kill_workers(daemon):
    """The worker and the spare; the latter may have taken over, done what there was to do, and gone by then."""
    for pid in children(daemon.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def terminate(daemon):
    daemon.signal(signal.SIGTERM)
