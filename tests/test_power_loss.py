#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The power fails, at any event and in any state of the disk: whatever was said holds, and what was not said becomes
true.

Where POWER_LOSS is "all", every state is played; else as many as fit in POWER_SECONDS (18), drawn by RYUSO_SEED."""

import collections
import concurrent.futures
import os
import random
import time

import crash_programs
import disk
from crash_scene import memory
from power_programs import SCRIPTS, record
from power_states import count_states, every_state, lied_to, on_the_way, play, record_again, some_states
from tap import main, ok, skip, test

ALL = os.environ.get("POWER_LOSS") == "all"
SECONDS = float(os.environ.get("POWER_SECONDS", "18"))
SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
THREADS = int(os.environ.get("POWER_THREADS", 2 * (os.cpu_count() or 1)))
ONLY = os.environ.get("POWER_ONLY", "")
PROBLEMS_SHOWN = 4
THOROUGH = 0.1  # of all: stopped and asked again
RECOVERIES = 12 if ALL else 3
DRAWN = 10  # of one recording, one after another


class Campaign:
    def __init__(self):
        self.dice = random.Random(SEED)
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self.module = crash_programs.module()
        self.template = crash_programs.Book(memory() / "template.sqlite").path.read_bytes()
        self.problems = []

    def states(self, recordings):
        """One after another: they are large."""
        if ALL:
            for recording in recordings:
                yield from every_state(recording, self.dice)
            return
        while True:
            for recording in self.dice.sample(recordings, len(recordings)):
                yield from some_states(recording, self.dice, DRAWN)

    def play_all(self, recordings, seconds):
        """How many were played of each."""
        end = time.monotonic() + seconds
        played = collections.Counter()
        left, running = self.states(recordings), {}
        while True:
            while len(running) < THREADS and (ALL or time.monotonic() < end):
                state = next(left, None)
                if state is None:
                    break
                played[state.recording.name] += 1
                if ALL and sum(played.values()) % 1000 == 0:
                    print(f"# {sum(played.values())} played, {len(self.problems)} violations", flush=True)
                running[self.pool.submit(play, state, self.module, self.dice.random() < THOROUGH)] = state
            if not running:
                return played
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                running.pop(future)
                if future.result():
                    self.problems.append(future.result())

    def lose(self, sentence, recordings, seconds):
        total = {recording.name: sum(count_states(recording).values()) for recording in recordings}
        played = self.play_all(recordings, seconds)
        for recording in recordings:
            print(f"# {recording.name}: {len(recording.events)} events, {total[recording.name]} states, "
                  f"{played[recording.name]} played", flush=True)
        events = sum(len(recording.events) for recording in recordings)
        alike = ", all that differ" if ALL else ""
        ok(f"{sentence} ({sum(played.values())} of {sum(total.values())} states{alike}; {events} events)",
           played and not self.problems, "\n\n".join(self.problems[:PROBLEMS_SHOWN]))


# numbers: inode, number, offset, size; a file's sync has no size
LIES = {"all syncs": lambda event: True, "syncs of what is mapped": lambda event: event.numbers[3] > 0}


def loss(campaign):
    recordings = [record(name, campaign.template, campaign.module) for name in SCRIPTS if ONLY in name]
    campaign.lose("whatever of a disk survives, it is recovered truly", recordings, SECONDS * 0.7)
    return recordings


def lies(campaign, recordings):
    """What this test is worth: a daemon that does not sync would be found out."""
    for name, is_lie in LIES.items():
        state = lied_to(recordings[0], is_lie)
        problem = play(state, campaign.module)
        ok(f"where {name} did nothing, what was said is lost, and it is seen", problem, "it was not seen")
    problems = [play(state, campaign.module, placed=False) for state in on_the_way(recordings[0], 6)]
    ok("where the files are copies, that is seen", any("StoreMoved" in problem for problem in problems if problem),
       "\n".join(map(str, problems)))


def loss_again(campaign, recordings):
    """And the power fails again while that is done."""
    first = [next(some_states(campaign.dice.choice(recordings), campaign.dice, 1)) for _ in range(RECOVERIES)]
    again = [record_again(state, campaign.module) for state in first]
    campaign.lose("when the power fails again in the recovery, too", again, SECONDS * 0.3)


print(f"# RYUSO_SEED={SEED}", flush=True)
if disk.why_not():
    @test
    def whatever_of_a_disk_survives_it_is_recovered_truly():
        skip(disk.why_not())
else:
    _campaign = Campaign()
    _recordings = loss(_campaign)
    loss_again(_campaign, _recordings)
    lies(_campaign, _recordings)
main()
