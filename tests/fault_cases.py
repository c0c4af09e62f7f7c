# SPDX-License-Identifier: LGPL-2.1-or-later
"""One case of the test of faults: something fails once, whatever comes of that; then another daemon is started, and what
it says must be true, and what was said before."""

import collections
import json
import shutil
import time

from crash_cases import DECISIONS_MAX
from crash_programs import Lie, insist, judge, request
from crash_scene import BROKEN, LATER, Scene, memory
from disk_plan import Plan
from points import Place, Points
from tap import Client, Failure

SECONDS = 25  # that an answer may take: a new try to use the store included
TRIES = 3

# moment: "start", "ready" (the daemon and its workers are there), "recovery" (of a run that was killed in a step)
Case = collections.namedtuple("Case", "side kind error moment number")
# stacks: of the calls of that kind, where nothing was to fail
Found = collections.namedtuple("Found", "hits stacks ends problem")
Asked = collections.namedtuple("Asked", "program tag wait")

ASKS = [Asked("pay", "a", True), Asked("late", "b", True), Asked("noted", "c", False), Asked("stuck", "d", True)]


def text(case):
    return f"{case.side}, {case.kind} number {case.number} since {case.moment} fails with {case.error}"


def message(ask, **more):
    return request(ask.program, ask.tag, request_id=ask.tag, id=ask.tag, **more)


def is_early(line):
    """Refused while an earlier daemon's processes are still there."""
    error = json.loads(line).get("error")
    return error and error["name"] in LATER


class Troubled(Scene):
    """A daemon that may exit, but not crash."""

    ends = ()

    def _forget(self):
        try:
            super()._forget()
        except Lie:
            insist(self.ended > 0, f"ryusod was ended by signal {-self.ended}")
            self.ends += (self.ended,)

    def listens(self):
        """Until it accepts connections, or is dead."""
        while self.alive():
            try:
                self.connect().close()
                return
            except BROKEN:
                time.sleep(0.001)

    def operate(self, tag, reply, verb=None):
        """What was decided before is not decided again."""
        parameters = {"run": reply["run"], "step": reply["parked"].get("step", 0), "reason": "so it is in the book"}
        _, error = self.call(verb or self.decide(tag, reply), **parameters)
        insist(not error or error["name"] == "WrongState", f"the decision was refused: {error}")
        result, error = self.call("wait", run=reply["run"])
        insist(not error, f"wait was refused: {error}")
        return result

    def ask_somehow(self, message):
        """The line that answers it, or b"" after some tries."""
        end = time.monotonic() + SECONDS
        tries = 0
        while tries < TRIES:
            if not self.alive():
                self.start()
                self.listens()
            try:
                with Client(self.socket, timeout=SECONDS) as client:
                    client.send(message)
                    line = client.line()
            except BROKEN:
                tries += 1
                continue
            except Failure as failure:
                raise Lie(f"no answer within {SECONDS} s to {message}") from failure
            if line.endswith(b"\n") and (not is_early(line) or time.monotonic() > end):
                return line
            tries += not line
            time.sleep(0.002)
        return b""


def play(stage, case):
    """What came of it. Number 0: nothing fails, and all must go well."""
    directory, outside = memory("ryuso-fault-"), memory("ryuso-fault-")
    plan = Plan(outside / "plan", case.side, case.kind, case.error, case.number)
    problem = None
    try:
        with Troubled(directory, stage.template, module=stage.module) as scene:
            try:
                live(scene, plan, case)
            except Exception as error:  # whatever it is: the case did not pass
                told = "\n".join(scene.book.tell(ask.tag) for ask in ASKS)
                problem = f"{text(case)}: {type(error).__name__}: {error}\n{told}\n{scene.log()[-4000:]}"
            return Found(plan.hits, () if case.number else plan.stacks(), scene.ends, problem)
    finally:
        plan.close()
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(outside, ignore_errors=True)


def live(scene, plan, case):
    if case.moment == "recovery":
        leave_half_done(scene, Points(plan.path.with_name("points")))
    scene.env = plan.env(scene.state)
    if case.moment != "ready":
        plan.arm()
    scene.start()
    scene.listens()
    insist(case.moment != "ready" or scene.settle(), "it becomes ready")
    plan.arm()
    given = {ask.tag: ask_for(scene, ask) for ask in ASKS}
    scene.stop()
    scene.env = {}
    for ask in ASKS:
        bear_out(scene, ask, given[ask.tag])
    scene.book.balance()
    insist(scene.stop(), "ryusod did not end in good order")
    insist(scene.status()["parked"] == 0, "all were taken up")
    insist(plan.crashes == 0, "a process has crashed")


def leave_half_done(scene, file):
    """A run whose step nobody has heard the end of, and a submission that waits behind it."""
    file.kill(Place("worker", "after-call", 3), "both")
    scene.env = file.env()
    scene.start()
    scene.listens()
    with scene.connect() as client:
        client.send(message(ASKS[0]), message(ASKS[2], wait=False))
        client.line()
    scene.process.wait()
    insist(not scene.alive() and file.hits == 1, "the daemon is dead")


def ask_for(scene, ask):
    """The last that was said of it, as JSON text; b"" if nothing was."""
    line = scene.ask_somehow(message(ask, **({} if ask.wait else {"wait": False})))
    reply = json.loads(line or b"{}")
    if reply.get("status") == "queued":
        line = scene.ask_somehow(message(ask)) or line
    if reply.get("status") == "parked":
        scene.book.free(ask.tag)
        scene.ask_somehow({"call": "retry", "parameters": {"run": reply["run"], "step": reply["parked"]["step"],
                                                           "reason": "it was freed"}})
        scene.ask_somehow({"call": "wait", "parameters": {"run": reply["run"]}})
        line = scene.ask_somehow(message(ask))
    return line


def bear_out(scene, ask, given):
    line = scene.ask(message(ask))
    insist(scene.ask(message(ask)) == line, "asked again, the reply is another one")
    before, now = json.loads(given or b"{}"), json.loads(line)
    if before.get("status") in ("succeeded", "rectified", "settled"):
        insist(given == line, f"it was said: {given}; now: {line}")
    if before.get("status") in ("queued", "parked"):
        insist(before["run"] == now["run"], f"run {before['run']} was spoken of, and now {now['run']}")
    for _ in range(DECISIONS_MAX):
        judge(scene.book, ask.tag, now)
        if now["status"] != "parked":
            return
        scene.operate(ask.tag, now)
        now = json.loads(scene.ask(message(ask)))
    raise Lie(f"still parked after {DECISIONS_MAX} decisions")
