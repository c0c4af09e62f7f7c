# SPDX-License-Identifier: LGPL-2.1-or-later
"""An operator who takes up what is parked, sometimes wisely."""

import random
import threading
import time

import crash_programs
from crash_programs import insist
from crash_scene import BROKEN
from tap import TIMEOUT, Client

# Between the list and the decision another one, or a daemon's death, may have changed things.
TOO_LATE = ("WrongState", "NoSuchRun", "Recovering", "StoreBusy", "StoreDamaged", "NoModule", "ShuttingDown")


class Operator(threading.Thread):
    def __init__(self, soak):
        super().__init__(daemon=True)
        self.soak = soak
        self.dice = random.Random(soak.dice.random())
        self.at_work = threading.Event()

    def rests(self):
        return self.soak.pause.is_set() and not self.at_work.is_set() or not self.is_alive()

    def run(self):
        while not self.soak.over.is_set():
            self.at_work.set()
            try:
                if not self.soak.pause.is_set():
                    self.look_around()
            except BROKEN:
                self.soak.count("broken connections")
            except Exception as error:  # told, and counted, by the soak
                self.soak.violate(f"the operator: {type(error).__name__}: {error}")
                return
            finally:
                self.at_work.clear()
            time.sleep(self.dice.random() * 0.1)

    def call(self, name, **parameters):
        with Client(self.soak.scene.socket, timeout=TIMEOUT) as client:
            answer = client.ask({"call": name, "parameters": parameters})
        if answer is None:
            raise BrokenPipeError
        return answer.get("result"), answer.get("error")

    def look_around(self):
        result, error = self.call("parked")
        insist(result or error["name"] in TOO_LATE, f"parked is refused: {error}")
        for run in result["runs"] if result else []:
            if self.dice.random() < 0.3:
                self.decide(run)

    def decide(self, run):
        tag, book = run["request_id"], self.soak.scene.book
        more = {}
        if run["name"] == "Irreversible":
            verb = "confirm" if crash_programs.effects(book.read(tag)).get(run["step"]) else "skip"
        else:
            verb = self.dice.choice(("retry", "retry", "retry", "skip", "undone"))
        if verb == "undone":
            book.undo(tag, run["step"])
            verb, more = "skip", {"undone_by_hand": True}
        elif verb == "retry" and self.dice.random() < 0.7:
            book.free(tag)
        result, error = self.call(verb, run=run["run"], step=run["step"], reason="for the test", **more)
        insist(result or error["name"] in TOO_LATE, f"{verb} of {run} is refused: {error}")
        self.soak.count({"retry": "retried", "skip": "skipped", "confirm": "confirmed"}[verb] if result else "too late")
