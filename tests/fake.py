# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that is none: it answers what the test tells it to, well or badly.

    with Fake({"ping": {"result": {"pong": True}}}) as fake: ...

`answers` maps the name of a call or program to what is sent back: a dictionary (one line of JSON), bytes (as they are),
CLOSE, HANG, Dribble(bytes) (a byte in each write), or a list of these. A function is called with the request first.
What came in is kept in `fake.requests`.
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


class Fake:
    def __init__(self, answers, on_connect=None, directory=None):
        self.answers = answers
        self.on_connect = on_connect
        self.requests = []
        self.ended = threading.Event()
        self.path = str((directory or scratch()) / "fake.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.threads = []

    def __enter__(self):
        self._spawn(self._accept)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in list(self.threads):
            thread.join()
        self.listener.close()
        os.unlink(self.path)

    def _spawn(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        with connection:
            try:
                if self.on_connect is not None:
                    self._say(connection, self.on_connect)
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
            if isinstance(part, Dribble):
                for i in range(len(part.data)):
                    connection.sendall(part.data[i:i + 1])
            else:
                connection.sendall(part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n")
