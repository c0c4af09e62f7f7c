# SPDX-License-Identifier: LGPL-2.1-or-later
"""What systemd does for a daemon, as far as tests without one need it: its notifications are read, and its socket is
kept open while it is started by connections, each time anew."""

import os
import select
import socket
import subprocess
import threading

from tap import Client, check, environment, program, scratch, wait_for


class Notified:
    """A NOTIFY_SOCKET. What was said is kept, in order."""

    def __init__(self):
        self.path = scratch() / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.said = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def env(self, **more):
        return {"NOTIFY_SOCKET": self.path, **more}

    def listen(self):
        """All that was said so far."""
        while True:
            try:
                self.said.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.said

    def forget(self):
        self.listen().clear()

    def count(self, text):
        return sum(text in line for line in self.listen())

    def wait(self, text, times=1):
        wait_for(lambda: self.count(text) >= times, f"{text!r} for the service manager, {times} times")

    def status(self):
        """The last status line."""
        lines = [line[len("STATUS="):] for line in self.listen() if line.startswith("STATUS=")]
        return lines[-1] if lines else None


class Activated(threading.Thread):
    """A socket, and the daemon behind it: started whenever somebody has connected and none is there.

    `started` counts them, `ends` has the exit status of each that has ended. `on_stopping` and `on_end` are called, in
    this thread and with its number, when one says that it stops, and when it has ended."""

    def __init__(self, module, settings, on_stopping=None, on_end=None, env=None):
        super().__init__(daemon=True)
        self.directory = scratch()
        self.path = self.directory / "ryuso.sock"
        self.config = self.directory / "ryuso.conf"
        self.config.write_text("[Daemon]\n" + "".join(f"{key}={value}\n" for key, value in settings.items()))
        self.command = [program("ryusod"), "--state", self.directory / "state", "--config", self.config,
                        "--module", module]
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(self.path))
        self.socket.listen(128)
        self.on_stopping, self.on_end = on_stopping or (lambda _: None), on_end or (lambda _: None)
        self.env = env or {}
        self.ends, self.started, self.process, self.failure = [], 0, None, None
        self.closing = threading.Event()
        self.start()

    def client(self):
        return Client(self.path)

    def log(self):
        return (self.directory / "log").read_text()

    def _start(self, notified):
        variables = environment(LISTEN_FDS=1, **notified.env(), **self.env)
        self.started += 1
        command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *[str(part) for part in self.command]]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=(3,), preexec_fn=lambda: os.dup2(self.socket.fileno(), 3))

    def _look_after(self, notified):
        """Until it has ended."""
        stopping = False
        while self.process.poll() is None:
            select.select([notified.socket], [], [], 0.002)
            if not stopping and notified.count("STOPPING=1"):
                stopping = True
                self.on_stopping(self.started)
        self.ends.append(self.process.returncode)
        self.on_end(self.started)

    def run(self):
        with Notified() as notified:
            while not self.closing.is_set():
                if not select.select([self.socket], [], [], 0.05)[0]:
                    continue
                self._start(notified)
                self._look_after(notified)
                notified.forget()

    def end(self):
        """Waits until no daemon is there; each must have ended well."""
        wait_for(lambda: len(self.ends) == self.started and not select.select([self.socket], [], [], 0)[0],
                 "the last of the daemons to end")
        self.closing.set()
        self.join()
        self.socket.close()
        check(set(self.ends) <= {0}, f"expected exit status 0 of each daemon, got {self.ends}; they wrote:\n"
                                     f"{self.log()[-4000:]}")
