# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module tests/shop, whose hooks do what files of their names say: so that what stopped a run can be mended. Builds
of it, daemons that serve it and come back in the same state directory, and what the hooks wrote down."""

import ctypes
import json
import os
import platform
import threading

from busy import status
from project import LIBRARY, Project
from tap import TOP_SOURCE, Client, Daemon, check, equal, scratch, wait_for

_builds = {}


def build(name="first", change=None):
    """The path of a build, made once. `change`: what is done to the text of its spec; then another build of it is made
    in any case, since the name is in it."""
    if name not in _builds:
        project = Project()
        source = TOP_SOURCE / "tests" / "shop"
        (project / "hooks").mkdir()
        spec = (source / "ryu_spec.json").read_text()
        (project / "ryu_spec.json").write_text(change(spec) if change else spec)
        code = (source / "hooks" / "acts.c").read_text()
        (project / "hooks" / "acts.c").write_text(f'{code}\n__attribute__((used)) static const char shop_build[] = "{name}";\n')
        project.generate()
        _builds[name] = project.build()
    return _builds[name]


def longer(spec):
    """Another plan: one step more, before the others."""
    tree = json.loads(spec)
    tree["programs"]["order"]["hooks"].insert(0, "hooks.ship")
    return json.dumps(tree)


class Shop:
    """What outlives its daemons: the state directory, and what the hooks are to do."""

    def __init__(self, settings=None):
        self.directory = scratch()
        self.control = scratch()
        os.chmod(self.control, 0o777)
        self.settings = settings

    def daemon(self, module=None, settings=None, wait=True, **options):
        options.setdefault("env", {})["LD_LIBRARY_PATH"] = str(LIBRARY)
        daemon = Daemon(module=module or build(), settings=settings or self.settings, directory=self.directory,
                        **options)
        if wait:
            wait_for(lambda: status(daemon)["state"] not in ("starting", "recovering"), "the first worker")
        return daemon

    def let(self, hook, word):
        """From now on. None: it ends well."""
        path = self.control / hook
        if word is None:
            path.unlink(missing_ok=True)
            return
        (self.control / f".{hook}").write_text(word)
        os.rename(self.control / f".{hook}", path)

    def lines(self):
        path = self.control / "log"
        return path.read_text().splitlines() if path.exists() else []

    def wait_line(self, line):
        wait_for(lambda: line in self.lines(), f"{line!r} in {self.lines()}")

    def order(self, program="order", pool=None, **members):
        return {"program": program, "data_pool": {"dir": str(self.control), **(pool or {})}, **members}

    def park(self, client, **members):
        """A run that stands at step 2 on its way back: refund does not work. Returns its reply."""
        self.let("ship", "fail")
        self.let("refund", "fail")
        reply = client.ask(self.order(**members))
        equal((reply["status"], reply["parked"]["name"], reply["parked"]["step"]), ("parked", "RectifierFailed", 2),
              "the run")
        return reply


def call(client, name, **parameters):
    return client.ask({"call": name, "parameters": parameters})


def result(client, name, **parameters):
    answer = call(client, name, **parameters)
    check("result" in answer, f"{name} {parameters}: expected a result, got {answer}")
    return answer["result"]


def refused(client, name, error, message="", **parameters):
    """The call is answered with that error, whose sentence contains the message."""
    answer = call(client, name, **parameters)
    check("error" in answer, f"{name} {parameters}: expected {error}, got {answer}")
    equal(answer["error"]["name"], error, f"{name} {parameters}: {answer['error']['message']}")
    check(message in answer["error"]["message"], f"expected {message!r} in {answer['error']['message']!r}")
    return answer["error"]


def stored(client, count):
    """Waits until the ledger holds so many parked runs."""
    wait_for(lambda: result(client, "status")["parked"] == count, f"{count} parked runs")


class As:
    """A client with another user's credentials: the kernel takes those of the thread that connects."""

    def __init__(self, path, uid, gid=None, groups=()):
        self.client = None
        self.failure = None
        thread = threading.Thread(target=self._connect, args=(path, uid, uid if gid is None else gid, groups))
        thread.start()
        thread.join()
        if self.failure:
            raise self.failure

    def _connect(self, path, uid, gid, groups):
        try:
            _this_thread_only(uid, gid, groups)
            self.client = wait_for(lambda: _connected(path), "room in the backlog")
        except OSError as error:
            self.failure = error

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.client.close()


def _connected(path):
    try:
        return Client(path)
    except BlockingIOError:
        return None


def _this_thread_only(uid, gid, groups):
    """setresuid(2) of the thread alone: the C library's, and Python's, are the whole process's."""
    numbers = {"x86_64": (116, 119, 117), "aarch64": (159, 149, 147)}
    check(platform.machine() in numbers, f"no numbers of system calls for {platform.machine()}")
    setgroups, setresgid, setresuid = numbers[platform.machine()]
    library = ctypes.CDLL(None, use_errno=True)
    array = (ctypes.c_uint32 * max(len(groups), 1))(*groups)
    for arguments in ((setgroups, len(groups), array), (setresgid, gid, gid, gid), (setresuid, uid, uid, uid)):
        if library.syscall(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

