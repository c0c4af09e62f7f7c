# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time limits of hooks and programs, and the moment in which a hook ends just as its time does."""

import os
import random
import time

from busy import Log, busy, outcome, status
from tap import check, contains, equal, main, test

LIMIT_USEC = 5000  # of hooks.spend
BATCH = 50
SECONDS = float(os.environ.get("RYUSO_TEST_RACE_SECONDS", "15"))
RUNS_MIN = 1000


def race(log, usec):
    return {"program": "race", "data_pool": {"log": str(log), "usec": usec}}


@test
def a_hook_that_takes_too_long_is_ended_and_reversed_in_doubt():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        reply = client.ask(race(log, 3600 * 1000000))
        equal(outcome(reply), ("rectified", "HookTimeout"), "the run")
        equal((reply["error"]["step"], reply["error"]["hook"]), (1, "spend"), "the step")
        contains(reply["error"]["message"], "0.005 s", "the message")
        equal(reply["rectified"], [{"step": 1, "hook": "spend", "in_doubt": True}], "rectified")
        equal([line.split()[:2] for line in log.lines()], [["undo", "1?"]], "what ran")
        equal(outcome(client.ask(race(log, 0))), ("succeeded", None), "a hook in its time")


@test
def a_programs_time_ends_the_hook_in_hand():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "hurry", "data_pool": {"log": str(log), "usec": 3600 * 1000000}})
        equal(outcome(reply), ("rectified", "ProgramTimeout"), "the run")
        equal([line.split()[0] for line in log.lines()], ["before", "undo"], "what ran")
        check(client.ask({"program": "hurry", "data_pool": {"log": str(log), "usec": 0}})["success"], "one in time")


def judge(reply, lines):
    """One run of the race: either all of it happened, or its first step was reversed, in doubt, and nothing else."""
    marks = [line for line in lines if line.startswith("mark ")]
    undone = [line for line in lines if line.startswith("undo ")]
    if reply["status"] == "succeeded":
        equal((len(marks), undone), (1, []), f"run {reply['run']} succeeded: its steps, and nothing undone")
        return "succeeded"
    equal(outcome(reply), ("rectified", "HookTimeout"), f"run {reply['run']}")
    equal((reply["error"]["step"], reply["rectified"]), (1, [{"step": 1, "hook": "spend", "in_doubt": True}]),
          f"run {reply['run']}: the step that was ended")
    equal((marks, [line.split()[1] for line in undone]), ([], ["1?"]), f"run {reply['run']}: what ran")
    return "timeout"


@test
def a_time_out_in_the_moment_of_the_hooks_end_never_hits_what_comes_next():
    seed = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
    print(f"# RYUSO_SEED={seed}", flush=True)
    dice = random.Random(seed)
    found = {"succeeded": 0, "timeout": 0}
    # where the moment is depends on the machine: the durations go where both ends are about as frequent
    centre = LIMIT_USEC
    end = time.monotonic() + SECONDS
    with busy({"Trace": "failures"}) as daemon, daemon.client() as client:
        while time.monotonic() < end or sum(found.values()) < RUNS_MIN:
            log = Log()
            client.send(*[race(log, max(0, int(centre + dice.uniform(-1500, 1500)))) for _ in range(BATCH)])
            replies = client.replies(BATCH)
            by_run = {}
            for line in log.lines():
                by_run.setdefault(line.split()[-1], []).append(line)
            ended = [judge(reply, by_run.get(reply["run"], [])) for reply in replies]
            for how in ended:
                found[how] += 1
            centre += 100 if ended.count("succeeded") * 2 > BATCH else -100
            centre = min(max(centre, LIMIT_USEC - 3000), LIMIT_USEC + 8000)
        equal(status(daemon)["runs"]["parked"], 0, "parked runs")
    print(f"# {found}, durations about {centre} us", flush=True)
    check(found["succeeded"] > 50 and found["timeout"] > 50, f"both ends must have been met: {found}")


main()
