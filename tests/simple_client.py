# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that was written from ryuso-protocol(7) alone, as somebody would in another language: it shares nothing with
the other tests. It keeps one connection, and does not lose an outcome when that breaks."""

import json
import socket
import time
import uuid


class Refused(Exception):
    """An error of a call, or a request of which nothing ran: `error` has its members."""

    def __init__(self, error):
        super().__init__(f"{error['name']}: {error['message']}")
        self.error = error


class Broken(Exception):
    """The connection ended before the answer."""


class SimpleClient:
    def __init__(self, path="/run/ryuso/ryuso.sock"):
        self.path, self.socket, self.received, self.next_id = str(path), None, b"", 1

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.received = None, b""

    def _connect(self):
        if not self.socket:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(self.path)

    def _line(self):
        """A line of an answer: one JSON object."""
        while b"\n" not in self.received:
            data = self.socket.recv(65536)
            if not data:
                raise Broken()
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        return json.loads(line)

    def _exchange(self, message, on_event=None):
        """Sends one message and returns its answer, without the id."""
        message = {**message, "id": self.next_id}
        self.next_id += 1
        try:
            self._connect()
            self.socket.sendall(json.dumps(message).encode())
            answer = self._line()
            while "event" in answer:
                if on_event:
                    on_event(answer)
                answer = self._line()
        except OSError as error:
            self.close()
            raise Broken() from error
        except Broken:
            self.close()
            raise
        if answer.get("id") != message["id"]:
            self.close()  # not ours: the daemon turned us away, or lost the framing
        answer.pop("id", None)
        return answer

    def call(self, name, **parameters):
        """The result of a call."""
        answer = self._exchange({"call": name, "parameters": parameters})
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def run(self, program, on_event=None, patience=60, metadata=None, **arguments):
        """Runs a program, once, whatever dies meanwhile; its reply. Refused: nothing ran."""
        request = {"program": program, "data_pool": arguments, "request_id": str(uuid.uuid4()),
                   "follow": on_event is not None, **({"metadata": metadata} if metadata else {})}
        end, pause = time.monotonic() + patience, 0.01
        while True:
            try:
                reply = self._exchange(request, on_event)
                if reply["status"] != "refused":
                    return reply
                if reply["error"]["name"] not in ("Recovering", "ShuttingDown"):
                    raise Refused(reply["error"])
            except Broken:
                reply = None
            if time.monotonic() > end:
                raise Refused(reply["error"]) if reply else Broken()
            time.sleep(pause)
            pause = min(pause * 2, 1)

    def submit(self, program, **arguments):
        """Has it run later; the run's id."""
        reply = self._exchange({"program": program, "data_pool": arguments, "wait": False})
        if reply["status"] == "refused":
            raise Refused(reply["error"])
        return reply["run"]
