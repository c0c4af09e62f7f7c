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
from power_states import enumerate_states, play, record_again
from tap import main, ok

ALL = os.environ.get("POWER_LOSS") == "all"
SECONDS = float(os.environ.get("POWER_SECONDS", "18"))
SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
THREADS = int(os.environ.get("POWER_THREADS", 2 * (os.cpu_count() or 1)))
ONLY = os.environ.get("POWER_ONLY", "")
PROBLEMS_SHOWN = 4
THOROUGH = 0.1  # of all: stopped and asked again
RECOVERIES = 12 if ALL else 2


class Campaign:
    def __init__(self):
        self.dice = random.Random(SEED)
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self.module = crash_programs.module()
        self.template = crash_programs.Book(memory() / "template.sqlite").path.read_bytes()
        self.problems = []

    def draw(self, states, seconds):
        """(states drawn, states there are)"""
        states = list(states)
        if not ALL:
            self.dice.shuffle(states)
        return states, len(states)

    def play_all(self, states, seconds):
        """How many were played, in all and by how they came about."""
        end = time.monotonic() + seconds
        played = collections.Counter()
        left, running = iter(states), {}
        while True:
            while len(running) < THREADS and (ALL or time.monotonic() < end):
                state = next(left, None)
                if state is None:
                    break
                running[self.pool.submit(play, state, self.module, self.dice.random() < THOROUGH)] = state
            if not running:
                return played
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                played[running.pop(future).recording.name] += 1
                if future.result():
                    self.problems.append(future.result())


def report(campaign, sentence, played, states, recordings):
    events = sum(len(recording.events) for recording in recordings)
    total = collections.Counter(state.recording.name for state in states)
    for recording in recordings:
        name = recording.name
        print(f"# {name}: {len(recording.events)} events, {total[name]} states, {played[name]} played", flush=True)
    ok(f"{sentence} ({sum(played.values())} of {len(states)} states, {events} events, "
       f"{len(campaign.problems)} violations)", not campaign.problems and all(total.values()),
       "\n\n".join(campaign.problems[:PROBLEMS_SHOWN]))


def loss(campaign):
    recordings = [record(name, campaign.template, campaign.module) for name in SCRIPTS if ONLY in name]
    states = [state for recording in recordings for state in enumerate_states(recording, campaign.dice)]
    campaign.dice.shuffle(states)
    report(campaign, "whatever of a disk survives, it is recovered truly", campaign.play_all(states, SECONDS * 0.7),
           states, recordings)
    return states


def loss_again(campaign, states):
    """And the power fails again while that is done."""
    again = [record_again(state, campaign.module) for state in campaign.dice.sample(states, RECOVERIES)]
    states = [state for recording in again for state in enumerate_states(recording, campaign.dice)]
    campaign.dice.shuffle(states)
    report(campaign, "when the power fails again in the recovery, too", campaign.play_all(states, SECONDS * 0.3),
           states, again)


print(f"# RYUSO_SEED={SEED}", flush=True)
if disk.why_not():
    ok(f"whatever of a disk survives, it is recovered truly # SKIP {disk.why_not()}", True)
else:
    _campaign = Campaign()
    loss_again(_campaign, loss(_campaign))
main()
