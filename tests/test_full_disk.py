#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk that is full: nothing is lost, and it goes on when there is space. Needs to mount a small file system."""

import json
import os
import signal

import crash_programs
from crash_programs import judge, judge_unbegun, request
from crash_scene import Scene, memory
from crash_world import Disk
from points import Place, Points
from tap import check, contains, equal, main, skip, test, wait_for

SIZE = "2m"
FULL = "No space left on device"


class Cramped(Scene):
    """Its state directory is a disk of its own."""

    def __init__(self, recorder="64K"):
        super().__init__(memory("ryuso-full-"), settings={"RecorderSize": recorder})
        self.state.mkdir(mode=0o700)
        self.disk = Disk(self.state, SIZE)
        if not self.disk.small:
            skip("no file system can be mounted here")

    def __exit__(self, *_):
        self.kill()
        self.disk.unmount()

    def waits(self, text):
        wait_for(lambda: text in self.log(), f"{text!r} in the log")

    def say(self, message):
        """The reply, of this daemon: nothing is asked again."""
        with self.connect() as client:
            return client.ask(message)


def stop_at(scene, place):
    """Both are stopped there; the function lets them go on."""
    points = Points(scene.directory / "points")
    points.kill(place, "stop")
    scene.env = points.env()

    def go_on():
        for side in ("worker", "daemon"):
            os.kill(points.pid(side), signal.SIGCONT)
    return points, go_on


@test
def a_rectification_goes_on_where_no_space_is_left():
    with Cramped() as scene:
        points, go_on = stop_at(scene, Place("worker", "before-call", 11))  # the first three rectifiers are behind it
        scene.start()
        check(scene.settle(), "the daemon is ready")
        with scene.connect() as client:
            client.send(request("doomed", "r", request_id="r", id=1))
            wait_for(lambda: points.hits, "the middle of the way back")
            check(any(row["rectifying"] for row in scene.book.read("r").calls), "it is on its way back")
            scene.disk.fill()
            go_on()
            line = client.line()
        equal(json.loads(line)["status"], "rectified", "how it ends")
        judge(scene.book, "r", json.loads(line))
        equal(scene.ask(request("doomed", "r", request_id="r", id=1)), line, "the same asked again")
        scene.kill()
        scene.env = {}
        scene.start()  # and nobody could write it down until now
        scene.waits(FULL)
        scene.disk.free()
        equal(wait_until_accepted(scene, request("doomed", "r", request_id="r", id=1)), line, "the same, by another one")
        check(scene.stop(), "it ends in good order")


@test
def a_rectification_that_was_killed_waits_for_space():
    with Cramped() as scene:
        points = Points(scene.directory / "points")
        points.kill(Place("worker", "before-call", 11), "both")
        scene.env = points.env()
        scene.start()
        check(scene.settle(), "the daemon is ready")
        with scene.connect() as client:
            client.send(request("doomed", "r", request_id="r", id=1))
            equal(client.line(), b"", "the connection's end")
        wait_for(lambda: not scene.alive(), "the daemon's end")
        scene.env = {}
        scene.disk.fill()
        scene.start()
        scene.waits(FULL)
        calls = len(scene.book.read("r").calls)
        refused = scene.say(request("doomed", "r", request_id="r", id=1))
        equal((refused["status"], refused["error"]["name"]), ("refused", "StoreDamaged"), f"meanwhile: {refused}")
        equal(len(scene.book.read("r").calls), calls, "calls, while nothing can be written down")
        scene.disk.free()
        reply = json.loads(wait_until_accepted(scene, request("doomed", "r", request_id="r", id=1)))
        equal(reply["status"], "rectified", f"how it ends: {reply}")
        judge(scene.book, "r", reply)
        check(scene.stop(), "it ends in good order")


def wait_until_accepted(scene, message):
    """The line, when it is refused no more. The daemon is the same."""
    starts = scene.starts
    line = scene.ask(message, later=("Recovering", "StoreBusy", "StoreDamaged", "NoModule"))
    equal(scene.starts, starts, "daemons started")
    return line


@test
def on_a_full_disk_a_daemon_refuses_until_there_is_space():
    with Cramped() as scene:
        scene.disk.fill()
        scene.start()
        scene.waits(FULL)
        reply = scene.say(request("pay", "r", id=1))
        equal((reply["status"], reply["error"]["name"]), ("refused", "StoreDamaged"), f"the reply: {reply}")
        contains(reply["error"]["message"], FULL, "why")
        judge_unbegun(scene.book, "r")
        scene.disk.free()
        reply = json.loads(wait_until_accepted(scene, request("pay", "r", id=1)))
        equal(reply["status"], "succeeded", f"the reply: {reply}")
        judge(scene.book, "r", reply)
        check(scene.stop(), "it ends in good order")


@test
def where_no_new_recorder_can_be_made_runs_wait_for_space():
    tags = [f"r{i}" for i in range(150)]
    with Cramped() as scene:
        scene.start()
        check(scene.settle(), "the daemon is ready")
        scene.disk.fill()
        with scene.connect() as client:
            client.send(*[request("doomed" if i % 3 else "pay", tag, id=tag) for i, tag in enumerate(tags)])
            scene.waits("cannot make a new recorder")
            scene.disk.free()
            replies = {reply["id"]: reply for reply in client.replies(len(tags))}
        equal(sorted(replies), sorted(tags), "those that were answered")
        for tag, reply in replies.items():
            equal(reply["status"], crash_programs.ENDS[reply["program"]], f"the reply: {reply}")
            judge(scene.book, tag, reply)
        scene.book.balance()
        contains(scene.log(), "a new recorder could be made", "the log")
        check(scene.status()["recorder"]["renewals"] > 0, "there was a new recorder")
        check(scene.stop(), "it ends in good order")


@test
def what_the_ledger_cannot_take_is_refused_or_kept():
    with Cramped(recorder="512K") as scene:
        scene.start()
        check(scene.settle(), "the daemon is ready")
        scene.disk.fill()
        said = {}
        for i in range(60):
            tag = f"r{i}"
            said[tag] = scene.say(request("pay", tag, request_id=tag, id=tag, wait=i % 2 == 1))
        refused = [tag for tag, reply in said.items() if reply["status"] == "refused"]
        check(refused, "something was refused")
        for tag in refused:
            equal(said[tag]["error"]["name"], "StoreDamaged", f"the reply: {said[tag]}")
            judge_unbegun(scene.book, tag)
        scene.disk.free()
        for tag, reply in said.items():
            line = wait_until_accepted(scene, request("pay", tag, request_id=tag, id=tag))
            judge(scene.book, tag, json.loads(line))
            check(reply["status"] in ("refused", "queued") or json.loads(line) == reply, f"it was said: {reply}")
        check(scene.stop(), "it ends in good order")
        scene.start()
        for tag in said:
            equal(json.loads(scene.ask(request("pay", tag, request_id=tag, id=tag)))["status"], "succeeded", tag)
        scene.book.balance()
        check(scene.stop(), "it ends in good order")


main()
