# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that is none: it answers what the test tells it to, well or badly.

    with Fake({"ping": {"result": {"pong": True}}}) as fake: ...

`answers` maps the name of a call or program to what is sent back: a dictionary (one line of JSON), bytes (as they are),
CLOSE, HANG, Dribble(bytes) (a byte in each write), a threading.Event (waits for it), or a list of these. A function is called with the request first;
Turns(answer, …) is one that gives the first the first time, and the last for ever. `on_connect` is said to each
connection before it is read from, and may be such a function too. What came in is kept in `fake.requests`. away() is a
daemon that is being restarted, back() the end of that.
"""

import json
import os
import socket
import threading

from tap import scratch

CLOSE = object()  # ends the connection
HANG = object()  # never says anything more


class Dribble:
    def __init__(self, data):
        self.data = data


class Turns:
    def __init__(self, *answers):
        self.answers = list(answers)

    def __call__(self, _):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Fake:
    def __init__(self, answers, on_connect=None, directory=None):
        self.answers = answers
        self.on_connect = on_connect
        self.requests = []
        self.ended = threading.Event()
        self.path = str((directory or scratch()) / "fake.sock")
        self.threads = []
        self.listener = None
        self._listen()

    def _listen(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)

    def __enter__(self):
        self._spawn(self._accept, self.listener)
        return self

    def __exit__(self, *_):
        self.ended.set()
        if self.listener is not None:
            self.away()
        for thread in list(self.threads):
            thread.join()

    def away(self, keep_socket=False):
        """Nobody listens any more; with `keep_socket` the file stays, as it does when a daemon is killed."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.listener = None
        if not keep_socket:
            os.unlink(self.path)

    def back(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._listen()
        self._spawn(self._accept, self.listener)

    def _spawn(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        self.threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        with connection:
            try:
                if self.on_connect is not None:
                    self._say(connection, self.on_connect(self) if callable(self.on_connect) else self.on_connect)
                for line in connection.makefile("rb"):
                    request = json.loads(line)
                    self.requests.append(request)
                    self._say(connection, self._answer(request))
            except (BrokenPipeError, ConnectionResetError, StopIteration):
                pass

    def _answer(self, request):
        answer = self.answers.get(request.get("call") or request.get("program"))
        if callable(answer):
            return answer(request)
        return {"error": {"name": "BadRequest", "message": "not scripted"}} if answer is None else answer

    def _say(self, connection, answer):
        for part in answer if isinstance(answer, list) else [answer]:
            if part is CLOSE:
                raise StopIteration
            if part is HANG:
                self.ended.wait()
                raise StopIteration
            if isinstance(part, threading.Event):
                while not part.wait(0.05) and not self.ended.is_set():
                    pass
                continue
            if isinstance(part, Dribble):
                for i in range(len(part.data)):
                    connection.sendall(part.data[i:i + 1])
            else:
                connection.sendall(part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n")
