# SPDX-License-Identifier: LGPL-2.1-or-later
"""A journal for tests: a test program that says beside_journald() first runs beside a journald of its own. The module
tests/talk, whose hooks say what a request tells them to; daemons that serve it; what they wrote, read back by field."""

import json
import os
import pathlib
import signal
import subprocess
import sys

from busy import children, status
from project import LIBRARY, Project
from tap import TIMEOUT, TOP_SOURCE, Daemon, check, environment, program, run, scratch, wait_for

HERE = pathlib.Path(__file__).resolve().parent
INSIDE = "RYUSO_TEST_JOURNAL"

# What the journal's entries are about. These never change.
RUN_BEGUN = "f07880a11f4f49bc873be1fdcc6a78ea"
RUN_ENDED = "80bdf630bc164a289e98bd479cbb1e6a"
RUN_PARKED = "e9ad0c9fd51f461187093ea1ce8badb6"
HOOK = "1fb3bfabd09a459ebda616cfb415cc1a"
RECTIFIER = "3aeb12943717405daad03da5ff671d78"
OUTPUT = "2ea0dc13c4d741c08fe33e06a2e16ea3"
RUN_TAKEN_UP = "37421af1edea46478929e6a8076470f6"
DECISION = "f608b4f05dab4433935ea209571d2aa3"
HOLD = "e88c6b8e37f64b7d837279ce2730c6fa"
STORE = "5855ce9147754cf2a419e90e844feadd"
MOVED = "a2878864896341378e9a6772c365e81a"

ERR, CRIT, WARNING, NOTICE, INFO, DEBUG = "3", "2", "4", "5", "6", "7"


def beside_journald():
    """Runs this program beside a journald, and returns only there."""
    if os.environ.get(INSIDE) == "yes":
        return
    command = [str(HERE / "with-journald")]
    if subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, check=False).returncode != 0:
        print("1..0 # SKIP no journald can be started here (it needs root or user namespaces)", flush=True)
        sys.exit(0)
    done = subprocess.run([*command, sys.executable, *sys.argv], env={**os.environ, INSIDE: "yes"},
                          stdin=subprocess.DEVNULL, check=False)
    sys.exit(done.returncode)


def journald():
    """Its pid: with-journald, which is our parent, has started it."""
    [pid] = [pid for pid in children(os.getppid()) if pid != os.getpid()]
    check("journal" in pathlib.Path(f"/proc/{pid}/comm").read_text(), f"process {pid} is no journald")
    return pid


class StuckJournald:
    """Takes nothing from its socket for a while."""

    def __enter__(self):
        os.kill(journald(), signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(journald(), signal.SIGCONT)


def journal(*matches):
    """Entries as dictionaries, oldest first."""
    run("journalctl", "--sync")
    lines = run("journalctl", "--quiet", "--all", "--output=json", *matches).stdout.split("\n")
    return [json.loads(line) for line in lines if line]


# ---- the module ----

_module = []


def talk_module():
    """The path of the module, built once."""
    if not _module:
        project = Project()
        source = TOP_SOURCE / "tests" / "talk"
        (project / "hooks").mkdir()
        for path in ("ryu_spec.json", "hooks/lines.c"):
            (project / path).write_bytes((source / path).read_bytes())
        project.generate()
        _module.append(project.build())
    return _module[0]


_instances = []


class Talker(Daemon):
    """A daemon that serves it, under an instance's name of its own."""

    def __init__(self, settings=None, **options):
        _instances.append(f"talk{len(_instances) + 1}")
        self.instance = _instances[-1]
        super().__init__(module=talk_module(), settings=settings, args=["--instance", self.instance],
                         env={"LD_LIBRARY_PATH": str(LIBRARY), "RYUSO_LOG": None}, **options)
        wait_for(lambda: status(self)["state"] != "starting", "the first worker")

    def entries(self, *matches):
        """What it has written. Complete once it has ended: whoever is answered has not waited for the journal."""
        return journal(f"_PID={self.pid}", *matches)

    def entries_of(self, reply):
        """Those of one run."""
        return self.entries(f"RYUSO_INSTANCE={self.instance}", f"RYUSO_RUN={reply['run']}")


def talk(name="talk", script=None, **members):
    """A request. `script`: hook → list of [verb, text, more], see talk/hooks/lines.c."""
    pool = {"script": script or {}, **members.pop("data_pool", {})}
    return {"program": name, "data_pool": pool, **members}


def said(settings=None, *requests):
    """A daemon of its own is asked all this and ends. Returns it and its replies."""
    with Talker(settings) as daemon, daemon.client() as client:
        replies = [client.ask(request) for request in requests]
    return daemon, replies


class WithoutJournal:
    """Daemons that are started within see no journald."""

    def __enter__(self):
        self.before = os.environ.get("RYUSOD")
        wrapper = scratch() / "ryusod"
        wrapper.write_text("#!/bin/sh\nexec unshare --mount --propagation private sh -c "
                           "'mount -t tmpfs tmpfs /run/systemd && exec \"$0\" \"$@\"' "
                           f"'{program('ryusod')}' \"$@\"\n")
        wrapper.chmod(0o755)
        os.environ["RYUSOD"] = str(wrapper)

    def __exit__(self, *_):
        del os.environ["RYUSOD"]
        if self.before:
            os.environ["RYUSOD"] = self.before


def by_hand(stderr, directory, settings=""):
    """A daemon whose standard error is this descriptor."""
    (directory / "ryuso.conf").write_text(f"[Daemon]\n{settings}")
    return subprocess.Popen([program("ryusod"), "--socket", directory / "ryuso.sock", "--state", directory / "state",
                             "--config", directory / "ryuso.conf", "--module", talk_module()],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                            env=environment(RYUSO_LOG=None))


def wait_end(process):
    """Its exit status after SIGTERM."""
    process.terminate()
    return process.wait(TIMEOUT)
