# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile clients: each a process of a user of its own that does one kind of harm to a daemon, again and again, until it
is killed."""

import json
import os
import pathlib
import signal
import socket
import time

from tap import check

FIRST_UID = 47110
PAUSE = 0.001  # between two acts of one process: two cores are to be left to the daemon and the honest


def connected(path):
    """A connection that blocks nobody; None where there is no room in the backlog now."""
    fd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        fd.setblocking(False)
        fd.connect(str(path))
    except OSError:
        fd.close()
        return None
    return fd


def send(fd, data):
    """How much of it was taken; None where the connection is gone."""
    try:
        return fd.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return None


def read(fd):
    """What has come; b"" at the end."""
    try:
        return fd.recv(65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def request(program, **data_pool):
    return json.dumps({"program": program, "data_pool": data_pool}).encode() + b"\n"


def many(path, count, act):
    """So many connections, on each of which `act` is done in turn. It returns false where it is gone."""
    fds = [None] * count
    while True:
        for number in range(count):
            if fds[number] is None:
                fds[number] = connected(path)
            elif act(fds[number], number) is False:
                fds[number].close()
                fds[number] = None
            if number % 20 == 0:
                yield


# ---- kinds of harm: generators that act a little, and yield ----

def crowd(path):
    """1,000 connections; those that are turned away try again."""
    return many(path, 1000, lambda fd, number: read(fd) is None)


def half_open(path):
    """A request is begun, and not ended; then it is begun anew."""
    text = b'{"program":"nothing","data_pool":{'
    begun = {}

    def act(fd, _):
        if begun.get(fd) is None:
            begun[fd] = send(fd, text)
        return read(fd) is None or begun.pop(fd) is None
    return many(path, 100, act)


def drip(path):
    """One byte after another."""
    text = request("echo", text="x" * 100000)
    sent = {}

    def act(fd, _):
        at = sent.get(fd, 0)
        sent[fd] = at + (send(fd, text[at % len(text):][:1]) or 0)
        return read(fd) is None
    return many(path, 50, act)


def deaf(path):
    """Requests as long as they are taken, and no reply is read."""
    text = request("echo", text="x" * 50000)
    left = {}

    def act(fd, _):
        at = left.get(fd, 0)
        n = send(fd, text[at:])
        left[fd] = (at + (n or 0)) % len(text)
        return n is not None
    return many(path, 20, act)


def large(path):
    """Requests of a mebibyte, good and bad; replies are read."""
    texts = [request("echo", text="x" * 400000), request("echo", text="y" * 1100000),
             b'{"program":"nothing","data_pool":' + b"[" * 1000000,
             b'{"metadata":{"a":[' + b"[]," * 340000 + b'1]},"program":"nothing"}',
             b'{"metadata":{"a":[' + b"{}," * 60000 + b'1]},"program":"nothing"}']
    left = {}

    def act(fd, number):
        text = texts[number % len(texts)]
        at = left.get(fd, 0)
        n = send(fd, text[at:at + 100000])
        left[fd] = (at + (n or 0)) % len(text)
        return n is not None and read(fd) != b""
    return many(path, 10, act)


def storm(path):
    """Connections that are made and closed, with a request, a part of one, or nothing."""
    texts = [request("nothing"), b'{"program":', b"", b"nonsense", request("nothing") * 20]
    number = 0
    while True:
        fd = connected(path)
        if fd:
            send(fd, texts[number % len(texts)])
            fd.close()
        number += 1
        yield


def glut(path):
    """Replies that are too large to be held, asked for at once."""
    text = request("echo", text="x" * 400000)
    left = {}

    def act(fd, _):
        at = left.get(fd, 0)
        n = send(fd, text[at:])
        left[fd] = (at + (n or 0)) % len(text)
        return n is not None
    return many(path, 6, act)


def flood(path):
    """As many small runs as may wait, all the time."""
    text = request("nothing") * 50

    def act(fd, _):
        data = read(fd)
        return data != b"" and send(fd, text) is not None
    return many(path, 10, act)


KINDS = [crowd, half_open, drip, deaf, large, storm, glut, flood]


class Hostile:
    """The process. Its user's number is by its kind."""

    def __init__(self, path, kind):
        self.kind = kind
        self.uid = FIRST_UID + KINDS.index(kind)
        readable, writable = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(path, readable, writable)
        os.close(writable)
        with os.fdopen(readable, "rb") as begun:
            check(begun.read() == b"begun", f"{kind.__name__} did not begin")

    def _run(self, path, readable, writable):
        """Never returns into what the parent would do."""
        try:
            os.close(readable)
            os.setgroups([])
            os.setgid(self.uid)
            os.setuid(self.uid)
            acts = self.kind(pathlib.Path(path))
            for number in range(1 << 60):
                next(acts)
                if number == 20:
                    os.write(writable, b"begun")
                    os.close(writable)
                time.sleep(PAUSE)
        finally:
            os._exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ended, _ = os.waitpid(self.pid, os.WNOHANG)
        if not ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        check(not ended, f"{self.kind.__name__} has ended by itself")
