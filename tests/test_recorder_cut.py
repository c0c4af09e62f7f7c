#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder that was cut short, or of which a byte is another one: what the next daemon says is true, or it parks the
run."""

import concurrent.futures
import json
import os
import random
import shutil
import time

import points
from crash_cases import Stage
from crash_programs import Lie, insist, judge, request
from crash_scene import BROKEN, Scene, memory
from tap import Failure, check, main, ok, wait_for

SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
CASES = int(os.environ.get("CRASH_CUTS", "210"))
PAGE, HEADER = 4096, 32
SHOWN = 5
# Where both die: program, place. In a step, before and after what it does; on the way back; finished, and nobody knows.
STATES = {
    "in a step": ("pay", points.Place("worker", "before-call", 4)),
    "behind a step": ("pay", points.Place("worker", "after-call", 4)),
    "on the way back": ("doomed", points.Place("worker", "after-call", 12)),
    "finished, not answered": ("pay", points.Place("daemon", "before-reply", 1)),
}


def damage(recorder, how, at, dice):
    with open(recorder, "r+b") as file:
        if how == "cut":
            file.truncate(at)
        elif how == "zeroed":
            size = os.fstat(file.fileno()).st_size
            file.seek(at)
            file.write(bytes(size - at))
        else:
            file.seek(at)
            [byte] = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ (1 << dice.randrange(8))]))


def leave_half_done(scene, program, place):
    """The recorder of a run whose processes died there."""
    file = points.Points(scene.directory / "points")
    file.kill(place, "both")
    scene.env = file.env()
    scene.start()
    scene.settle()
    try:
        with scene.connect() as client:
            client.send(request(program, "r", request_id="r"))
            client.line()
    except BROKEN:
        pass
    insist(file.hits == 1, f"{points.text(place)} was not reached")
    scene.process.wait()
    insist(not scene.alive(), "the daemon is dead")
    scene.env = {}
    return scene.state / "recorder"


def used(image):
    """(end of the START record, end of all records)"""
    start = PAGE + HEADER + int.from_bytes(image[PAGE:PAGE + 4], "little")
    return -(-start // 8) * 8, len(image.rstrip(b"\0"))


def play(stage, state, how, dice):
    program, place = STATES[state]
    directory = memory()
    told = ""
    try:
        with Scene(directory, stage.template, module=stage.module) as scene:
            try:
                recorder = leave_half_done(scene, program, place)
                start, end = used(recorder.read_bytes())
                # the first page is mostly empty; without what changes in it and all records, nothing tells it from a
                # new file
                first = how != "zeroed" and dice.random() < 0.2
                at = dice.randrange(512) if first else dice.randrange(PAGE, end)
                told = f"{state}, {how} at {at} (START ends at {start}, all at {end})"
                damage(recorder, how, at, dice)
                return told, find(scene, program, at < start and (how != "flipped" or at >= PAGE))
            except (Lie, Failure) as lie:
                raise Lie(f"{told}: {lie}\n{scene.tell('r')}") from lie
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def find(scene, program, unknown):
    """What is said of it now. `unknown`: that there was a run may not be known any more. Then nothing begins before an
    operator who has been told lets it, and what is asked for is another run."""
    message = request(program, "r", request_id="r")
    reply = json.loads(scene.ask({**message, "wait": False}))
    anew = reply["status"] == "queued"
    if anew:
        insist(unknown, "a run is forgotten")
        insist(scene.status()["held"], "a run is forgotten, and the queue is not held")
        scene.call("resume")
        reply = json.loads(scene.ask(message))
    if reply["status"] == "parked" and reply["parked"]["name"] == "Damaged":
        wait_for(lambda: scene.status()["parked"] == 1, "what is parked to be counted")
        return "parked"
    runs = {row["run"] for row in scene.book.read("r").calls}
    insist(anew or runs == {reply["run"]}, f"it ran again: {runs}")
    judge(scene.book, "r", reply, alone=not anew)
    insist(scene.stop(), "ryusod did not end in good order")
    insist(not anew or "is damaged" in scene.log(), "a run is forgotten, and nobody was told")
    return "run anew" if anew else reply["status"]


def main_part():
    print(f"# RYUSO_SEED={SEED}", flush=True)
    dice = random.Random(SEED)
    stage = Stage()
    cases = [(state, how) for state in STATES for how in ("cut", "zeroed", "flipped")]
    found, problems = {}, []
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        running = [pool.submit(play, stage, *cases[i % len(cases)], random.Random(dice.random())) for i in range(CASES)]
        for future in running:
            try:
                _, status = future.result()
                found[status] = found.get(status, 0) + 1
            except Exception as error:  # whatever it is: the case did not pass
                problems.append(f"{type(error).__name__}: {error}")
    ok(f"a recorder that is not whole leads to the true status, or the run is parked ({len(running)} cases: {found})",
       not problems and len(found) > 1, "\n\n".join(problems[:SHOWN]))
    check(sum(found.values()) + len(problems) == CASES, "every case was played")


main_part()
main()
