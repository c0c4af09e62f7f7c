# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs while the power may fail, written down event by event; and what was said by a given moment."""

import collections
import json
import os
import shutil
import subprocess
import sys

import disk
from crash_programs import insist, request
from crash_scene import Scene, memory
from tap import environment

# So small that they are renewed.
SETTINGS = {"RecorderSize": "64K"}
DURABLE = {"CRASH_DURABLE": "1"}
FREE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
database.execute("PRAGMA synchronous = FULL")
database.execute("INSERT OR IGNORE INTO freed VALUES (?)", (sys.argv[2],))
"""
VERBS = (b'"retry"', b'"confirm"', b'"skip"')

Asked = collections.namedtuple("Asked", "program tag wait")


def asked(*programs, wait=True):
    return [Asked(program, f"{program}-{i}", wait) for i, program in enumerate(programs)]


# name: what is asked for, one after another; what is parked is then taken up
SCRIPTS = {
    "with rectifiers": asked("pay"),
    "the way back": asked("doomed"),
    "irreversible last": asked("ship"),
    "five plain steps": asked("plain"),
    "a submission": asked("pay", "late", wait=False),
    "parked and retried": asked("stuck"),
    "parked and confirmed": asked("lost"),
    "retries and notes": asked("flaky", "noted"),
    "durability process": asked("quick", "pay"),
    "one after another": asked("outer", "noted", "late", "pay", "ship", "doomed", "plain", "flaky"),
}

# start: the disk at its beginning; known: what was said before; boot: its number
Recording = collections.namedtuple("Recording", "name asks root start events known boot")
Truth = collections.namedtuple("Truth", "lines decided")  # tag → the line that was last sent


def message(ask, **more):
    return request(ask.program, ask.tag, request_id=ask.tag, id=ask.tag, **more)


class Actor(Scene):
    """A scene whose book only those change who are written down."""

    def __init__(self, directory, template, trace=None, place=None, **options):
        super().__init__(directory, template, settings=SETTINGS, **options)
        self.traced = {**DURABLE, **(trace.env(*([place] if place else [])) if trace else {})}
        self.env.update(self.traced)

    def decide(self, tag, reply):
        """What is freed is written down, and durable."""
        subprocess.run([sys.executable, "-c", FREE, self.book.path, tag], check=True, env=environment(**self.traced))
        return super().decide(tag, reply)

    def operate(self, tag, reply, verb=None):
        """What may have gone further than is known cannot go forwards: then it is left as it is."""
        verb = verb or self.decide(tag, reply)
        parameters = {"run": reply["run"], "step": reply["parked"].get("step", 0), "reason": "so it is in the book"}
        _, error = self.call(verb, **parameters)
        if error and verb == "confirm":
            _, error = self.call("skip", **parameters)
        insist(not error, f"{verb} was refused: {error}")
        result, error = self.call("wait", run=reply["run"])
        insist(not error, f"wait was refused: {error}")
        return result


def perform(scene, asks):
    """The script. Whatever is said is in the trace."""
    for ask in asks:
        line = scene.ask(message(ask, **({} if ask.wait else {"wait": False})))
        for _ in range(8):
            reply = json.loads(line)
            if reply["status"] != "parked":
                break
            scene.operate(ask.tag, reply)
            line = scene.ask(message(ask))
        if reply["status"] == "queued":
            insist(scene.ask(message(ask)).endswith(b"\n"), "it is answered")
    insist(scene.stop(), "ryusod did not end in good order")


def below(root):
    """name → (inode, bytes, place) of the files there."""
    return {path.name: (path.stat().st_ino, path.read_bytes(), None) for path in root.iterdir()
            if path.is_file() and path.name.startswith("book.sqlite")}


def record(name, template, module):
    """A daemon's life from its first start on."""
    directory = memory("ryuso-power-")
    trace = disk.Trace(memory() / "trace", directory)
    try:
        with Actor(directory, template, trace, module=module) as scene:
            start = below(directory)
            scene.start()
            perform(scene, SCRIPTS[name])
        root = os.stat(directory).st_ino
        return Recording(name, SCRIPTS[name], root, start, trace.read(), Truth({}, False), 0)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(trace.path.parent, ignore_errors=True)


class Hearer:
    """What was said so far: the truth that a state has to bear out."""

    def __init__(self, known):
        self.lines = dict(known.lines)
        self.decided = known.decided

    def take(self, event):
        """Whether there is more to bear out."""
        if event.kind == disk.RECEIVED:
            self.decided = self.decided or any(verb in event.data for verb in VERBS)
        if event.kind != disk.SENT:
            return False
        before = dict(self.lines)
        for line in event.data.split(b"\n"):
            if line.startswith(b'{"id":"'):
                reply = json.loads(line)
                if reply.get("status") not in (None, "refused"):
                    self.lines[reply["id"]] = line + b"\n"
        return self.lines != before

    def truth(self):
        return Truth(dict(self.lines), self.decided)
