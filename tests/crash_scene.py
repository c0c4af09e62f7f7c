# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that may die at any moment, its state directory, its book, and a client that asks until it is answered."""

import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import crash_programs
from crash_programs import Lie, insist
from tap import Client, TIMEOUT, environment, program

# Small ones are made and read faster; and they are filled now and then.
SETTINGS = {"RecorderSize": "256K", "MaxPoolSize": "4K", "MaxNotesSize": "4K", "MaxRectifiedSize": "4K",
            "Trace": "failures"}
WORKERS = 2  # the one at work, and the spare
BROKEN = (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError)
# What is refused with these, "retry" being true, will be accepted when a predecessor's processes are gone and the
# module is known.
LATER = ("Recovering", "StoreBusy", "NoModule")

_alive = set()
_lock = threading.Lock()


@atexit.register
def _end_all():
    for process in list(_alive):
        process.kill()
        process.wait()


def memory(prefix="ryuso-"):
    """A new directory on a file system that needs no disk, where there is one."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else os.environ.get("TMPDIR", "/tmp")
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


class Scene:
    """`env` holds for each start of the daemon until it is changed."""

    def __init__(self, directory, template=None, settings=None, env=None, module=None):
        self.directory = directory
        self.socket = directory / "ryuso.sock"
        self.state = directory / "state"
        self.log_path = directory / "ryusod.log"
        self.module = module or crash_programs.module()
        self.book = crash_programs.Book(directory / "book.sqlite", template)
        self.env = dict(env or {})
        self.process = None
        self.starts = 0
        self.points = None  # where there are some
        self.told = []  # lines that came back, for people
        self.on_told = lambda: None
        self.lock = threading.RLock()  # of the process
        lines = [f"{key}={value}\n" for key, value in {**SETTINGS, **(settings or {})}.items()]
        (directory / "ryuso.conf").write_text("[Daemon]\n" + "".join(lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def log(self):
        return self.log_path.read_text(errors="replace")

    # ---- the daemon ----

    def start(self):
        command = [program("ryusod"), "--socket", self.socket, "--state", self.state, "--config",
                   self.directory / "ryuso.conf", "--module", self.module]
        self.logged = self.points.logged if self.points else 0
        variables = environment(**crash_programs.environment_of(self.book), **self.env)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with _lock:
            _alive.add(self.process)
        self.starts += 1

    def alive(self):
        if self.process and self.process.poll() is not None:
            self._forget()
        return self.process is not None

    def _forget(self):
        with _lock:
            _alive.discard(self.process)
        self.ended = self.process.wait()
        self.process = None
        # a child that the last one had just forked may hold its socket for a moment more, and one that is told to end
        # before it listens to signals ends by that; apart from these, nobody but a test's signal ends a daemon
        too_early = self.ended == 1 and self.log().endswith("another process listens there; not started\n")
        insist(self.ended in (0, -signal.SIGKILL, -signal.SIGTERM) or too_early, f"ryusod ended with status {self.ended}")

    def ensure(self):
        with self.lock:
            if not self.alive():
                self.start()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            with _lock:
                _alive.discard(self.process)
            self.process = None

    def stop(self):
        """SIGTERM. Whether it ended in good order: a point may kill it on its way."""
        if not self.alive():
            return False
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Lie("ryusod does not end after SIGTERM") from None
        self._forget()
        return self.ended in (0, -signal.SIGTERM)

    def settle(self):
        """Until it accepts connections, and a worker and a spare are ready; or it is dead."""
        end = time.monotonic() + TIMEOUT
        while self.alive():
            insist(time.monotonic() < end, "ryusod does not become ready")
            try:
                self.connect().close()
                if self._has_workers():
                    return True
            except BROKEN:
                pass
            time.sleep(0.001)
        return False

    def _has_workers(self):
        if not self.points or not self.env:
            return len(children(self.process.pid)) >= WORKERS
        hellos = self.points.log(self.logged)
        return sum(name == "after-hello" for _, name, _ in hellos) >= WORKERS

    def connect(self):
        return Client(self.socket, timeout=TIMEOUT)

    # ---- asking ----

    def ask(self, message, later=LATER):
        """The line that answers it: asked again, of another daemon where that is needed, until there is one. What is
        refused with one of `later` is asked again, too."""
        end = time.monotonic() + TIMEOUT
        while True:
            insist(time.monotonic() < end, f"nobody answers {message}")
            self.ensure()
            line = self._ask_once(message)
            if line.endswith(b"\n"):
                error = json.loads(line).get("error")
                if not error or error["name"] not in later:
                    self.told.append(line)
                    self.on_told()
                    return line
            time.sleep(0.001)

    def _ask_once(self, message):
        try:
            with self.connect() as client:
                client.send(message)
                return client.line()
        except BROKEN:
            return b""

    def call(self, name, **parameters):
        """(result, error)"""
        answer = json.loads(self.ask({"call": name, "parameters": parameters}))
        return answer.get("result"), answer.get("error")

    def status(self):
        return self.call("status")[0]

    # ---- the operator ----

    def decide(self, tag, reply):
        """What an operator who looks into the book does about a parked run: the verb."""
        self.book.free(tag)
        if reply["parked"]["name"] != "Irreversible":
            return "retry"
        return "confirm" if crash_programs.effects(self.book.read(tag)).get(reply["parked"].get("step")) else "skip"

    def operate(self, tag, reply, verb=None):
        """Decides once. The reply as it is when the run has ended, or is parked again."""
        verb = verb or self.decide(tag, reply)
        starts = self.starts
        parameters = {"run": reply["run"], "step": reply["parked"]["step"], "reason": "so it is in the book"}
        _, error = self.call(verb, **parameters)
        # where the daemon died, it may have been decided already
        insist(not error or (self.starts > starts and error["name"] == "WrongState"), f"{verb} was refused: {error}")
        return self._wait_decided(reply["run"])

    def _wait_decided(self, run):
        """A decision that no worker could take up yet leaves the run parked for a while more."""
        end = time.monotonic() + TIMEOUT
        while True:
            insist(time.monotonic() < end, "the decision is not taken up")
            result, error = self.call("wait", run=run)
            insist(not error, f"wait was refused: {error}")
            if result["status"] != "parked":
                return result
            shown, _ = self.call("show", run=run)
            if shown and shown["status"] == "parked" and all(each["done"] for each in shown["decisions"]):
                return result
            time.sleep(0.001)

    def tell(self, tag):
        """For people: everything there is."""
        told = "\n".join(f"told: {line.decode(errors='replace').strip()}" for line in self.told[-12:])
        return f"{told}\n{self.book.tell(tag)}\nthe daemons wrote:\n{self.log()[-4000:]}"
