# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of ryusoctl share: what a daemon may say, and how ryusoctl is run against one that is none."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from fake import Fake
from tap import TIMEOUT, check, environment, program, run

RUN = "0123456789abcdef0123456789abcdef"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

TRANSFER = {
    "name": "transfer", "description": "Move money", "timeout": 90,
    "args": [{"name": "from", "type": "string", "required": True, "description": "Debited"},
             {"name": "to", "type": "string", "required": True},
             {"name": "amount", "type": "int", "required": True},
             {"name": "rate", "type": "float", "required": False, "default": 0.5},
             {"name": "fast", "type": "bool", "required": False},
             {"name": "tags", "type": "list", "required": False},
             {"name": "extra", "type": "dict", "required": False},
             {"name": "pin", "type": "string", "required": True, "secret": True}],
    "outputs": [{"name": "balance", "type": "int", "required": True}],
    "steps": [{"step": 1, "hook": "debit", "rectifiers": ["undo_debit", "tell"], "irreversible": False},
              {"step": 2, "hook": "send_mail", "rectifiers": [], "irreversible": True}],
}
PROGRAMS = [{"name": "transfer", "description": "Move money"}, {"name": "deposit", "description": None}]
STATUS = {
    "version": "0.1.0", "instance": "wallet", "state": "running",
    "module": {"name": "wallet", "version": "1.2", "build_id": "abc123", "fingerprint": "f" * 32,
               "path": "/usr/lib/ryuso/wallet.so"},
    "running": {"run": RUN, "program": "transfer", "step": 2, "steps": 5, "hook": "credit", "phase": "rectifier",
                "attempt": 3, "since_usec": 61_500_000},
    "queued": 7, "connections": 3, "parked": 0, "submitted": 0, "held": False,
    "runs": {"succeeded": 10, "rectified": 4, "parked": 2, "settled": 1, "refused": 9}, "workers_started": 6,
    "recorder": {"records": 120, "worker_syncs": 7, "syncs": 11, "renewals": 2,
                 "last_run": {"records": 12, "syncs": 3}},
    "ledger": {"commits": 5, "works": 8, "under_way": 0},
}
SUCCEEDED = {"run": RUN, "program": "transfer", "success": True, "status": "succeeded",
             "data_pool": {"balance": 95, "note": "two\nlines", "list": [1, "a"], "rate": 0.5}, "error": None}
RECTIFIED = {"run": RUN, "program": "transfer", "success": False, "status": "rectified", "data_pool": {},
             "error": {"name": "HookFailed", "reason": "UnknownAccount", "step": 3, "hook": "credit",
                       "message": "no such account: rent", "retry": False},
             "rectified": [{"step": 2, "hook": "fee"}, {"step": 1, "hook": "debit"}], "remaining": []}
PARKED = {"run": RUN, "program": "transfer", "success": False, "status": "parked", "data_pool": {"balance": 1},
          "error": {"name": "HookUnknown", "step": 2, "hook": "fee", "message": "killed by signal 11", "retry": False},
          "parked": {"name": "RectifierFailed", "step": 1, "hook": "undo_debit", "message": "disk full"},
          "rectified": [{"step": 2, "hook": "fee", "in_doubt": True}], "remaining": [{"step": 1, "hook": "debit"}]}
SETTLED = dict(PARKED, status="settled")
QUEUED = {"run": RUN, "program": "transfer", "success": None, "status": "queued", "data_pool": {}, "error": None}
OTHER = "0123456789abcdef0123fedcba987654"  # begins like RUN
THIRD = "fedcba9876543210fedcba9876543210"
PARKED_RUNS = [
    {"run": RUN, "program": "transfer", "parked_usec": 1764000000123456, "step": 1, "hook": "undo_debit",
     "name": "RectifierFailed", "message": "disk full", "peer_uid": 0, "request_id": None},
    {"run": THIRD, "program": "send", "parked_usec": 1763900000000000, "step": 2, "hook": None, "name": "ModuleChanged",
     "message": "build abc is not here", "peer_uid": 4294967000, "request_id": "order-17"},
]
RUNS = [
    {"run": RUN, "program": "transfer", "status": "parked", "uid": 0, "pid": 11, "submitted": 1764000000.0,
     "began": 1764000001.0, "ended": 1764000002.5, "step": 1, "steps": 5, "hook": "undo_debit",
     "error": {"name": "HookFailed", "reason": "Full", "message": "disk full"}, "request_id": None},
    {"run": THIRD, "program": "send", "status": "succeeded", "uid": 4294967000, "pid": 12, "submitted": None,
     "began": 1763900000.0, "ended": 1763900060.0, "step": None, "steps": None, "hook": None, "error": None,
     "request_id": "order-17"},
]
DECISION = {"verb": "retry", "step": 1, "uid": 0, "reason": "disk is larger", "usec": 1764000100000000, "done": True,
            "flags": {"current_module": True}}
SHOWN = {
    "run": RUN, "program": "transfer", "status": "parked", "peer_uid": 4294967000, "request_id": "order-17",
    "submitted_usec": 1763999990000000, "begun_usec": 1763999991000000,
    "module": {"name": "wallet", "build_id": "abc123", "identity": "f" * 32, "current": True, "available": True},
    "arguments": {"from": "main", "amount": 5, "pin": None, "memo": None}, "secrets": ["pin"],
    "steps": [{"step": 1, "hook": "debit", "state": "done", "attempts": 1, "rectifiers": ["undo_debit", "tell"],
               "irreversible": False},
              {"step": 2, "hook": "fee", "state": "reversed", "attempts": 2, "rectifiers": ["undo_fee"],
               "irreversible": False},
              {"step": 3, "hook": "send_mail", "state": "ahead", "attempts": 0, "rectifiers": [],
               "irreversible": True}],
    "error": PARKED["error"], "parked": PARKED["parked"], "remaining": PARKED["remaining"],
    "next": [{"step": 1, "hook": "undo_debit", "rectifying": True}, {"step": 1, "hook": "tell", "rectifying": True}],
    "decisions": [DECISION],
}


def refusal(name, message="a sentence", retry=False, **more):
    return {"run": None, "program": "transfer", "success": False, "status": "refused", "data_pool": {},
            "error": {"name": name, "message": message, "retry": retry, **more}}


def denial(name, message="a sentence", retry=False):
    """The answer to a call that is refused."""
    return {"error": {"name": name, "message": message, "retry": retry}}


def asked(fake):
    """What was asked, without the request ids that ryusoctl made."""
    return [{key: value for key, value in request.items() if key != "request_id"} for request in fake.requests]


def answers(**more):
    table = {"describe": {"result": TRANSFER}, "list": {"result": {"programs": PROGRAMS}},
             "status": {"result": STATUS}, "ping": {"result": {"pong": True, "version": "0.1.0"}},
             "transfer": SUCCEEDED, "parked": {"result": {"runs": PARKED_RUNS}},
             "runs": {"result": {"runs": RUNS, "more": False}}, "show": {"result": SHOWN},
             "wait": {"result": RECTIFIED}}
    table.update(more)
    return table


def event(kind, step, hook, outcome, attempt=1, **more):
    return {"event": kind, "run": RUN, "step": step, "steps": 2, "hook": hook, "attempt": attempt, "outcome": outcome,
            "usec": 1500, **more}


EVENTS = [{"event": "begun", "run": RUN, "program": "transfer", "steps": 2},
          event("hook", 1, "debit", None), event("hook", 1, "debit", "ok"),
          event("hook", 2, "credit", None),
          event("hook", 2, "credit", "failed", attempt=2, reason="UnknownAccount", message="no such account: rent"),
          {"event": "something_new", "run": RUN},
          event("rectifier", 1, "undo_debit", None), event("rectifier", 1, "undo_debit", "unknown", message="killed"),
          event("rectifier", 1, "undo_debit", "ok", attempt=2), RECTIFIED]
WORDS = (f"transfer has begun, 2 steps  (run {RUN})\n"
         "hook 1/2 debit: ok (1.5 ms)\n"
         "hook 2/2 credit (attempt 2): failed: UnknownAccount: no such account: rent (1.5 ms)\n"
         "rectifier 1/2 undo_debit: unknown: killed (1.5 ms)\n"
         "rectifier 1/2 undo_debit (attempt 2): ok (1.5 ms)\n")


def ctl(fake, *words, status=0, stdin=None, locale="C.UTF-8", **variables):
    env = environment(LC_ALL=locale, RYUSO_SOCKET=None, NO_COLOR=None, TERM="xterm", **variables)
    where = ["--socket", fake.path] if isinstance(fake, Fake) else ["--socket", str(fake)]
    done = run(program("ryusoctl"), *where, *words, status=status, stdin=stdin, env=env)
    check(not CONTROL.search(done.stdout + done.stderr), f"control characters: {done.stdout!r} {done.stderr!r}")
    return done


def terminal():
    """A new one of 80 columns and 50 lines: both ends."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    return leader, follower


def on_terminal(fake, *words, locale="C.UTF-8", **variables):
    """Standard output and error on a terminal: what was written, and the exit status."""
    leader, follower = terminal()
    env = environment(**{"LC_ALL": locale, "TERM": "xterm", "NO_COLOR": None, "RYUSO_PAGER": "cat", **variables})
    process = subprocess.Popen([program("ryusoctl"), "--socket", fake.path, *words], env=env, stdin=follower,
                               stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(leader)
    return text.decode().replace("\r\n", "\n"), process.wait()


class Terminal:
    """ryusoctl with a terminal of its own, while the test does something else; `text` is what it wrote so far."""

    def __init__(self, socket, *words, **variables):
        self.leader, follower = terminal()
        env = environment(**{"LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": None, "RYUSO_PAGER": "cat", **variables})
        self.process = subprocess.Popen([program("ryusoctl"), "--socket", str(socket), *words], env=env,
                                        stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
        os.close(follower)
        self.text = ""
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.leader)

    def read(self):
        """Whether there was more."""
        check(select.select([self.leader], [], [], TIMEOUT)[0], f"nothing more came; so far {self.text!r}")
        try:
            data = os.read(self.leader, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def wait_for(self, pattern):
        """Until what came since the last time matches, colours left out; the match."""
        end = time.monotonic() + TIMEOUT
        while True:
            plain = re.sub(r"\033\[\d*m", "", self.text)
            found = re.search(pattern, plain[self.seen:])
            if found:
                self.seen += found.end()
                return found
            check(time.monotonic() < end, f"it does not write {pattern!r}: {self.text[-4000:]!r}")
            check(self.read(), f"it ended, and has not written {pattern!r}: {self.text!r}")

    def end(self):
        """The exit status."""
        while self.read():
            pass
        return self.process.wait()
