#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every place at which a crash could matter, one after another: the worker, the daemon or both are killed there, and
whatever is asked afterwards, the answer is the one true one. Then again at the places that the recovery comes through.

Where CRASH_POINTS is "all", every case is played: minutes for the first part, hours for the second; else as many as fit
in CRASH_SECONDS (24), drawn by RYUSO_SEED. CRASH_PROGRAMS="pay outer" plays no others."""

import collections
import concurrent.futures
import json
import os
import random
import signal
import time

import crash_programs
import points
from crash_cases import Case, Kill, Stage, text
from crash_programs import STEPS, judge, request
from crash_scene import Scene, memory
from tap import Failure, check, equal, main, ok, test, wait_for

ALL = os.environ.get("CRASH_POINTS") == "all"
SECONDS = float(os.environ.get("CRASH_SECONDS", "24"))
SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
THREADS = int(os.environ.get("CRASH_THREADS", 2 * (os.cpu_count() or 1)))
ONLY = os.environ.get("CRASH_PROGRAMS", "").split() or list(STEPS)
RECORDINGS, DOUBTS = 3, 10
PROBLEMS_SHOWN = 5
VICTIMS = ("worker", "daemon", "both")


class Campaign:
    def __init__(self):
        self.stage = Stage()
        self.dice = random.Random(SEED)
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self.problems, self.unreached, self.varied = [], [], collections.Counter()
        self.played = 0

    def play(self, case):
        """What came of it; None where its places were not come by."""
        found = self.stage.perform(case)
        self.played += 1
        if found.problem:
            self.problems.append(found.problem)
            return found
        for _ in range(RECORDINGS):
            if found.hits == len(case.kills):
                return found
            found = self.stage.perform(case)
        self.judge_unreached(case)
        return None

    def judge_unreached(self, case):
        """A place that some do not come by is one of the loop's idle turns, or of two processes' race. It is told; all
        others must be reached."""
        missed = case.kills[-1].place
        before = Case(case.program, case.kills[:-1])
        for _ in range(DOUBTS):
            found = self.stage.perform(before)
            if missed not in (found.behind if before.kills else found.places):
                self.varied[missed.name] += 1
                return
        self.unreached.append(text(case))

    def play_all(self, cases, seconds):
        """(case, what came of it), one after another, for as many as the time allows; the first of them in any case."""
        end, minute = time.monotonic() + seconds, time.monotonic() + 60
        left = iter(cases)
        running = {}
        played = 0
        while True:
            while len(running) < THREADS and (ALL or time.monotonic() < end or not played and not running):
                case = next(left, None)
                if case is None:
                    break
                running[self.pool.submit(self.play, case)] = case
            if not running or len(self.problems) >= PROBLEMS_SHOWN:
                break
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                played += 1
                yield running.pop(future), future.result()
            if time.monotonic() > minute:
                print(f"# {played} of {len(cases)} cases, {len(self.problems)} violations", flush=True)
                minute += 60
        concurrent.futures.wait(running)


def record(campaign, program):
    """The places that every run of it comes by."""
    found = [campaign.stage.perform(Case(program, ())) for _ in range(RECORDINGS)]
    for one in found:
        check(not one.problem, one.problem)
    always = set.intersection(*(set(one.places) for one in found))
    return [place for place in found[0].places if place in always]


def every_kill(places):
    return [Kill(place, victim) for place in places for victim in VICTIMS]


def kind(found):
    """Recoveries that come through the same places, and leave the same to be done, are the same recovery. Whether
    something was sent by then, or a spare was ready, tells nothing."""
    told = [place for place in found.behind if not place.name.endswith(("-send", "-hello"))]
    return (tuple(place.name for place in told if place.side == "worker"),
            frozenset(place.name for place in told if place.side == "daemon"), found.left)


def drawn(campaign, cases):
    """At random; but first, one of each kind of place and victim."""
    campaign.dice.shuffle(cases)
    first, seen = [], set()
    for case in cases:
        kill = case.kills[-1]
        if (kill.place.side, kill.place.name, kill.victim) not in seen:
            seen.add((kill.place.side, kill.place.name, kill.victim))
            first.append(case)
    chosen = set(first)
    return first + [case for case in cases if case not in chosen]


def play(campaign, sentence, cases, share, on_found=lambda case, found: None):
    before = len(campaign.problems), len(campaign.unreached)
    played = 0
    for case, found in campaign.play_all(drawn(campaign, cases), SECONDS * share):
        on_found(case, found)
        played += 1
    problems = campaign.problems[before[0]:]
    unreached = [f"never reached: {missed}" for missed in campaign.unreached[before[1]:]]
    ok(f"{sentence} ({played} of {len(cases)} cases)", played > 0 and not problems and not unreached,
       "\n\n".join(problems[:PROBLEMS_SHOWN] + unreached))


def once(campaign):
    """Every place of every program. Returns a case, and what came of it, for each recovery that is not like another."""
    kinds = {}

    def sort(case, found):
        if found and not found.problem:
            kinds.setdefault((case.program, case.kills[0].victim == "worker", kind(found)), (case, found.behind))

    recorded = {program: record(campaign, program) for program in ONLY}
    for program, places in recorded.items():
        sides = collections.Counter(place.side for place in places)
        print(f"# {program}: {sides['daemon']} places of the daemon, {sides['worker']} of the worker", flush=True)
    cases = [Case(program, (kill,)) for program, places in recorded.items() for kill in every_kill(places)]
    play(campaign, "whoever is killed wherever, the one reply is what the book shows", cases, 0.6, sort)
    return list(kinds.values())


def twice(campaign, recoveries):
    """And again at each place of each recovery."""
    print(f"# {len(recoveries)} recoveries that differ", flush=True)
    cases = [Case(case.program, case.kills + (kill,)) for case, behind in recoveries for kill in every_kill(behind)]
    play(campaign, "killed again in the recovery, it is still the one reply", cases, 0.4)


@test
def what_a_killed_daemon_left_is_recovered_without_any_client():
    stage = Stage()
    with Scene(memory(), stage.template, module=stage.module) as scene:
        file = points.Points(scene.directory / "points")
        file.kill(points.Place("worker", "before-call", 4), "both")
        scene.env = file.env()
        scene.start()
        check(scene.settle(), "the daemon is ready")
        with scene.connect() as client:
            client.send(request("pay", "alone", request_id="alone"))
            equal(client.line(), b"", "the connection's end")
        wait_for(lambda: not scene.alive(), "the daemon's end")
        equal(scene.ended, -signal.SIGKILL, "how it ended")
        scene.start()
        wait_for(lambda: not crash_programs.effects(scene.book.read("alone")), "the recovery")
        reply = json.loads(scene.ask(request("pay", "alone", request_id="alone")))
        equal((reply["status"], reply["error"]["name"]), ("rectified", "Interrupted"), f"what came of it: {reply}")
        judge(scene.book, "alone", reply)


@test
def a_worker_that_dies_before_it_is_ready_does_not_park_the_run_that_it_was_for():
    kills = (Kill(points.Place("worker", "after-record-END", 1), "daemon"),
             Kill(points.Place("worker", "before-hello", 1), "worker"))
    found = Stage().perform(Case("noted", kills))
    check(not found.problem, found.problem)
    equal(found.hits, len(kills), "how many were killed")


def both_parts():
    """Each of them is one of our tests."""
    print(f"# RYUSO_SEED={SEED}", flush=True)
    try:
        campaign = Campaign()
        twice(campaign, once(campaign))
    except Failure as failure:
        ok("each program runs where nobody is killed", False, failure)
        return
    if campaign.varied:
        print(f"# places that not all runs come by: {dict(campaign.varied)}", flush=True)


both_parts()
main()
