# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of whole processes share: results as TAP, scratch directories, clients, daemons.

A test program reads

    from tap import Daemon, equal, main, test

    @test
    def a_ping_is_answered():
        with Daemon(module=...) as daemon, daemon.client() as client:
            equal(client.ask({"call": "ping"})["result"], {}, "the answer")

    main()

Each function marked @test is one line of TAP. Its docstring, or else its name, is the sentence. It passes unless it
raises. ok() is a line of its own, for tables of cases. Nothing here waits for a time: timeouts are safety nets.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TIMEOUT = float(os.environ.get("RYUSO_TEST_TIMEOUT", "60"))
TOP_SOURCE = pathlib.Path(os.environ.get("top_srcdir", pathlib.Path(__file__).resolve().parent.parent)).resolve()
TOP_BUILD = pathlib.Path(os.environ.get("top_builddir", TOP_SOURCE)).resolve()

# name: the environment variable that says where it is
PROGRAMS = {
    "ryusod": "RYUSOD",
    "ryuso-worker": "RYUSO_WORKER",
    "ryusoctl": "RYUSOCTL",
    "ryuso-gen": "RYUSO_GEN",
    "ryuso-verify": "RYUSO_VERIFY",
}


class Failure(Exception):
    """What was found is not what was expected."""


class Skip(Exception):
    """This cannot be tested here."""


# ---- results ----

_tests = []
_numbers = {"run": 0, "failed": 0}


def _comment(text):
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def ok(name, condition, detail=""):
    """One line of TAP. `detail` is shown where it failed. Returns whether it passed."""
    _numbers["run"] += 1
    name = str(name).replace("#", "").replace("\n", " ")
    print(f"{'ok' if condition else 'not ok'} {_numbers['run']} - {name}", flush=True)
    if not condition:
        _numbers["failed"] += 1
        _comment(detail)
    return bool(condition)


def check(condition, detail):
    """Fails the test it is called in."""
    if not condition:
        raise Failure(detail)


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, got {found!r}")


def contains(text, part, what):
    check(part in text, f"{what}: expected it to contain {part!r}, got {text!r}")


def skip(reason):
    raise Skip(reason)


def test(function):
    """Registers a test: its docstring's first line, or its name, is the sentence."""
    text = (function.__doc__ or "").strip()
    sentence = text.splitlines()[0].rstrip(".") if text else function.__name__.replace("_", " ")
    _tests.append((sentence, function))
    return function


def _run(sentence, function):
    try:
        function()
        ok(sentence, True)
    except Skip as reason:
        _numbers["run"] += 1
        print(f"ok {_numbers['run']} - {sentence} # SKIP {reason}", flush=True)
    except Exception as error:  # whatever it is, it is a failure of this test alone
        ok(sentence, False, f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
        for daemon in _daemons:
            _comment(f"{daemon.name} (pid {daemon.pid}) wrote:\n{daemon.log()[-8000:]}")
    finally:
        for daemon in list(_daemons):
            daemon.kill()


def numbers():
    """How many results there were so far, and how many of them were failures."""
    return dict(_numbers)


def main(before=None):
    """Runs the registered tests (with arguments: those whose sentence or name contains one), and exits. `before`: what
    numbers() said in a process that ran the first of them, each with one result, and was cut off."""
    words = sys.argv[1:]
    chosen = [(sentence, function) for sentence, function in _tests
              if not words or any(word in sentence or word in function.__name__ for word in words)]
    _numbers.update(before or {})
    for sentence, function in chosen[(before or {}).get("run", 0):]:
        _run(sentence, function)
    print(f"1..{_numbers['run']}", flush=True)
    if _numbers["run"] == 0:
        _comment("no test was run")
    sys.exit(0 if _numbers["run"] > 0 and _numbers["failed"] == 0 else 1)


# ---- surroundings ----

def scratch(prefix="ryuso-"):
    """A new directory (short enough for the path of a socket), removed when the test program ends."""
    base = os.environ.get("TMPDIR", "/tmp")
    path = tempfile.mkdtemp(prefix=prefix, dir=base if len(base) < 40 else "/tmp")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return pathlib.Path(path)


def program(name):
    """The path of one of ours: from its environment variable, or from the build tree."""
    variable = PROGRAMS[name]
    path = pathlib.Path(os.environ.get(variable) or TOP_BUILD / name)
    check(os.access(path, os.X_OK), f"no program {path}: build it, or set {variable}")
    return str(path.resolve())


def environment(**more):
    """Our environment, with the variables by which programs of the build tree find each other, and by which ryusod keeps
    away from this machine's journal. None takes one away."""
    variables = {**os.environ, "RYUSO_LOG": "stderr"}
    for name, variable in PROGRAMS.items():
        path = pathlib.Path(os.environ.get(variable) or TOP_BUILD / name)
        if path.exists():
            variables[variable] = str(path.resolve())
    for variable in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "JOURNAL_STREAM", "MAKEFLAGS",
                     "MFLAGS", "MAKELEVEL", "TESTS"):
        variables.pop(variable, None)
    variables.update({key: str(value) for key, value in more.items() if value is not None})
    for key, value in more.items():
        if value is None:
            variables.pop(key, None)
    return variables


def run(*command, status=0, stdin=None, env=None, cwd=None):
    """Runs a command to its end; `status` None accepts any. Returns the completed process (text)."""
    done = subprocess.run([str(part) for part in command], input=stdin, env=env or environment(), cwd=cwd,
                          stdin=None if stdin is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT * 5)
    if status is not None:
        check(done.returncode == status, f"{' '.join(map(str, command))}: expected status {status}, got "
                                         f"{done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(predicate, what, timeout=TIMEOUT):
    """Polls until `predicate()` is true, and returns what it said."""
    end = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        check(time.monotonic() < end, f"waited {timeout:g} s in vain for {what}")
        time.sleep(0.005)


# ---- clients ----

class Client:
    """One connection. Replies are lines; numbers, strings and so on are what json makes of them."""

    def __init__(self, path, timeout=TIMEOUT):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.settimeout(timeout)
        self.buffer = b""
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *messages):
        """Bytes and text go out as they are, anything else as JSON; all in one write."""
        parts = []
        for message in messages:
            if isinstance(message, str):
                message = message.encode()
            parts.append(message if isinstance(message, bytes) else json.dumps(message).encode())
        self.socket.sendall(b"".join(parts))

    def finish(self):
        """Half-close: nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def line(self):
        """The next line with its newline; b"" where the connection has ended, a part of one where it ended inside."""
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                raise Failure(f"no line came; so far {self.buffer!r}") from None
            except ConnectionResetError:
                data = b""
            if not data:
                rest, self.buffer = self.buffer, b""
                return rest
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def reply(self):
        """The next line as JSON; None where the connection has ended."""
        line = self.line()
        if not line:
            return None
        check(line.endswith(b"\n"), f"the connection ended within a line: {line!r}")
        return json.loads(line)

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def ask(self, message):
        self.send(message)
        return self.reply()

    def rest(self):
        """All lines up to the end of the connection, as JSON."""
        return list(iter(self.reply, None))


# ---- daemons ----

_daemons = []


class Process:
    """A program in the background: standard error (and output) go to a file; ended when its test ends."""

    def __init__(self, command, env=None, directory=None, **options):
        self.name = os.path.basename(str(command[0]))
        self.directory = directory or scratch()
        self.log_path = self.directory / f"{self.name}.{len(_daemons)}.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(part) for part in command], env=env or environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        self.pid = self.process.pid
        _daemons.append(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text):
        """Waits until the log contains `text`."""
        wait_for(lambda: text in self.log() or self.ended(), f"{text!r} in the log")
        contains(self.log(), text, f"the log of {self.name}")

    def ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        """The exit status; negative: minus the signal that ended it."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} (pid {self.pid}) does not end") from None
        if self in _daemons:
            _daemons.remove(self)
        return status

    def stop(self, status=0):
        """SIGTERM, and the end, which must have this exit status."""
        if not self.ended():
            self.signal(signal.SIGTERM)
        found = self.wait()
        check(found == status,
              f"{self.name}: expected exit status {status}, got {found}; it wrote:\n{self.log()[-8000:]}")

    def kill(self):
        if not self.ended():
            self.signal(signal.SIGKILL)
        self.wait()


class Daemon(Process):
    """ryusod on a socket of its own (--socket, --state), ready when this returns.

    `settings` (a dictionary) becomes a file of settings for --config; what is in `args` comes last. `ready` False:
    does not wait for the socket. Other options are Popen's."""

    def __init__(self, args=(), env=None, module=None, settings=None, directory=None, ready=True, **options):
        directory = directory or scratch()
        self.socket = directory / "ryuso.sock"
        self.state = directory / "state"
        config = directory / "ryuso.conf"
        lines = [f"{key}={value}\n" for key, value in (settings or {}).items()]
        config.write_text("[Daemon]\n" + "".join(lines))
        command = [program("ryusod"), "--socket", self.socket, "--state", self.state, "--config", config]
        if module:
            command += ["--module", module]
        super().__init__(command + list(args), env=environment(**(env or {})), directory=directory, **options)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        """Until it accepts connections."""
        def connects():
            check(not self.ended(), f"ryusod ended with status {self.process.poll()}; it wrote:\n{self.log()}")
            try:
                Client(self.socket).close()
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            return True
        wait_for(connects, f"the socket {self.socket}")

    def client(self, **options):
        return Client(self.socket, **options)


def _kill_all():
    for daemon in list(_daemons):
        daemon.kill()


atexit.register(_kill_all)
