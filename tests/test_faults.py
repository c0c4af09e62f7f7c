#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every write, sync and allocation of the daemon and its workers fails once: at the start, when all is ready, in a
recovery. The daemon may refuse, say nothing, or exit; never crash, hang, or say what is not true, then or later.

Where FAULTS is "all", every call that was seen fails, and with every errno; of allocations, two of those that came from
the same place. Else as many as fit in FAULT_SECONDS (14), of eight kinds and moments, drawn by RYUSO_SEED.
FAULT_CASE="daemon send ENOMEM ready 3" plays that one alone."""

import collections
import concurrent.futures
import os
import random
import time

import disk
from crash_cases import Stage
from fault_cases import Case, play
from tap import check, main, skip, test

ALL = os.environ.get("FAULTS") == "all"
SECONDS = float(os.environ.get("FAULT_SECONDS", "14"))
SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
THREADS = int(os.environ.get("FAULT_THREADS", 2 * (os.cpu_count() or 1)))
ONLY = os.environ.get("FAULT_ONLY", "")
PROBLEMS_SHOWN = 5
MOMENTS = ("start", "ready", "recovery")
ERRORS = {"write": ("EIO", "ENOSPC", "EINTR", "short"), "name": ("EIO", "ENOSPC"), "sync": ("EIO", "ENOSPC", "EINTR"),
          "allocation": ("ENOMEM",), "send": ("EINTR", "ENOMEM", "short")}
PLACES = [(side, kind, moment) for side, kinds in (("daemon", ERRORS), ("worker", ("sync", "allocation")))
          for kind in kinds for moment in MOMENTS if ONLY in f"{side} {kind} {moment}"]
MORE = 2  # another run may make a call or two more
SAME_PLACE_MAX = 2
PLACES_DRAWN = 8


def numbers(kind, stacks, dice):
    """Which calls are to fail."""
    if kind != "allocation":
        return list(range(1, len(stacks) + 1 + MORE))
    places = collections.defaultdict(list)
    for number, stack in enumerate(stacks, 1):
        places[stack].append(number)
    return [number for found in places.values()
            for number in [found[0]] + dice.sample(found[1:], min(len(found) - 1, SAME_PLACE_MAX - 1))]


def survey(stage, pool, dice):
    """The cases: what is called is seen where nothing fails."""
    cases = {}
    places = PLACES if ALL else dice.sample(PLACES, min(len(PLACES), PLACES_DRAWN))
    found = pool.map(lambda place: play(stage, Case(place[0], place[1], "EIO", place[2], 0)), places)
    for (side, kind, moment), seen in zip(places, found):
        check(not seen.problem and not seen.ends, f"where nothing fails: {seen.problem} {seen.ends}")
        chosen = numbers(kind, seen.stacks, dice)
        cases[side, kind, moment] = [Case(side, kind, error, moment, number) for number in chosen
                                     for error in ERRORS[kind]]
        dice.shuffle(cases[side, kind, moment])
        print(f"# {side}, {kind} since {moment}: {len(seen.stacks)} calls from {len(set(seen.stacks))} places, "
              f"{len(chosen)} of them are to fail", flush=True)
    return cases


def in_turn(cases):
    """One of each kind after another."""
    queues = [collections.deque(found) for found in cases.values()]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.popleft()


def play_all(stage, pool, cases):
    """(how many were played, how many were hit, how many daemons exited, problems)"""
    end = time.monotonic() + SECONDS
    left, running, problems, counts = in_turn(cases), set(), [], collections.Counter()
    while True:
        while len(running) < THREADS and (ALL or time.monotonic() < end):
            case = next(left, None)
            if case is None:
                break
            running.add(pool.submit(play, stage, case))
        if not running:
            return counts, problems
        done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
        for found in (future.result() for future in done):
            counts += collections.Counter(played=1, hit=int(found.hits > 0), exited=len(found.ends))
            problems += [found.problem] if found.problem else []
            if ALL and found.problem:
                print(f"# {found.problem}".replace("\n", "\n# "), flush=True)


@test
def whatever_fails_once_nothing_is_lost():
    if disk.why_not():
        skip(disk.why_not())
    dice = random.Random(SEED)
    stage = Stage()
    if "FAULT_CASE" in os.environ:
        *words, number = os.environ["FAULT_CASE"].split()
        found = play(stage, Case(*words, int(number)))
        check(not found.problem, found.problem)
        return
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        cases = survey(stage, pool, dice)
        counts, problems = play_all(stage, pool, cases)
    total = sum(map(len, cases.values()))
    print(f"# {counts['played']} of {total} cases, {counts['hit']} met their call, {counts['exited']} daemons exited",
          flush=True)
    check(not problems, f"{len(problems)} problems:\n" + "\n\n".join(problems[:PROBLEMS_SHOWN]))
    check(counts["hit"] > 0, "something has failed")


print(f"# RYUSO_SEED={SEED}", flush=True)
main()
