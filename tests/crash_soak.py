# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that can happen to a daemon, at random, for as long as it is asked to: what tests/soak does. Clients that
never stop asking, an operator, and somebody who kills, restarts, fills the disk, fails syncs and replaces the module;
now and then all pause, and the book is compared with all that was said."""

import collections
import errno
import json
import random
import threading
import time

import points
from crash_operator import Operator
from crash_programs import Lie, insist, judge, judge_unbegun
from crash_scene import BROKEN, LATER, Scene, memory
from crash_storm import BATCH_MAX, Order, kill
from crash_world import Builds, Disk
from tap import TIMEOUT, Client

CLIENTS = 4
QUIET_EVERY = 5.0
DISK_SIZE, DISK_GROWTH = 16 << 20, 512 << 10  # bytes; the growth: for each second, as outcomes are kept
KEPT = 500  # older answers that are asked for again in each quiet moment
KEEP_REPLIES = 10000000  # more than a soak asks for: all that was promised is compared
ACTIONS = {"worker": 10, "daemon": 6, "both": 6, "restart": 5, "sync": 4, "full": 2, "module": 2}

DONE = {"worker": "workers killed", "daemon": "daemons killed", "both": "both killed", "restart": "restarts",
        "sync": "times of failing syncs", "full": "full disks", "module": "modules replaced"}


class Soaker(threading.Thread):
    """A client that never stops asking, but pauses when it is told to, once it is answered. Now and then it cancels."""

    def __init__(self, soak, number):
        super().__init__(daemon=True)
        self.soak, self.number = soak, number
        self.dice = random.Random(soak.dice.random())
        self.left = []
        self.asked = 0

    def run(self):
        while not self.soak.over.is_set():
            try:
                self.turn()
            except BROKEN:
                self.soak.count("broken connections")
                time.sleep(0.002)
            except Exception as error:  # told, and counted, by the soak
                self.soak.violate(f"client {self.number}: {type(error).__name__}: {error}")
                return

    def turn(self):
        if self.soak.pause.is_set() and not self.left:
            time.sleep(0.005)
            return
        while len(self.left) < self.dice.randint(1, BATCH_MAX) and not self.soak.pause.is_set():
            self.asked += 1
            self.left.append(Order(self.dice, f"{self.soak.seed}-{self.number}-{self.asked}", self.dice.random() < 0.6))
        if not self.left:
            return
        with Client(self.soak.scene.socket, timeout=TIMEOUT) as client:
            client.send(*[order.next() for order in self.left])
            for order in list(self.left):
                if not self.hear(client, order):
                    return

    def hear(self, client, order):
        line = client.line()
        if not line.endswith(b"\n"):
            self.soak.count("broken connections")
            return False
        if order.take(line):
            self.done(order)
        elif order.refused:
            time.sleep(0.002)
        elif self.dice.random() < 0.1:
            self.cancel(order, json.loads(line)["run"])
        return True

    def done(self, order):
        self.left.remove(order)
        self.soak.answered(order)

    def cancel(self, order, run):
        """One that is queued, or already at work."""
        with Client(self.soak.scene.socket, timeout=TIMEOUT) as client:
            answer = client.ask({"call": "cancel", "parameters": {"run": run, "now": self.dice.random() < 0.3}})
        if answer is None:
            return
        if "error" in answer:
            insist(answer["error"]["name"] in ("WrongState", "NoSuchRun", *LATER), f"cancel was refused: {answer}")
            self.soak.count("cancels too late")
            return
        self.soak.count("cancels")
        if not answer["result"]["begun"]:
            order.cancelled = True
            self.done(order)


class Soak:
    def __init__(self, seed, seconds):
        self.seed, self.seconds = seed, seconds
        self.dice = random.Random(seed)
        self.directory = memory("ryuso-soak-")
        for name in ("disk", "modules"):
            (self.directory / name).mkdir()
        self.disk = Disk(self.directory / "disk", DISK_SIZE + int(seconds) * DISK_GROWTH)
        self.builds = Builds(self.directory / "modules")
        self.scene = Scene(self.directory, settings={"StopTimeout": "2s", "KeepReplies": KEEP_REPLIES}, module=self.builds.path)
        self.scene.state = self.directory / "disk" / "state"
        self.scene.points = self.points = points.Points(self.directory / "points")
        self.scene.env = self.points.env()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.fresh, self.kept = [], []
        self.violations = []
        self.over, self.pause = threading.Event(), threading.Event()
        self.operator = Operator(self)
        self.clients = [Soaker(self, number) for number in range(CLIENTS)]

    # ---- what threads tell ----

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def violate(self, what):
        with self.lock:
            self.counts["violations"] += 1
            self.violations.append(what)
        print(f"# violation: {what}", flush=True)

    def answered(self, order):
        with self.lock:
            self.counts[order.reply["status"] if order.line else "refused"] += 1
            self.fresh.append(order)

    # ---- what happens ----

    def act(self, action):
        if action in ("worker", "daemon", "both"):
            kill(self.scene, action)
        elif getattr(self, action)() is False:
            return
        self.count(DONE[action])

    def restart(self):
        insist(self.scene.stop(), "ryusod did not end in good order")
        self.scene.ensure()

    def module(self):
        self.builds.replace()
        self.restart()

    def sync(self):
        self.points.fail("sync", self.dice.choice(points.SIDES), self.dice.choice((errno.EIO, errno.ENOSPC)),
                         self.dice.randrange(4), self.dice.random() < 0.3)
        time.sleep(self.dice.random() * 0.2)
        self.points.heal("sync")

    def full(self):
        if not self.disk.small:
            return False
        self.disk.fill()
        time.sleep(self.dice.random() * 0.2)
        if self.dice.random() < 0.5:
            kill(self.scene, self.dice.choice(("worker", "daemon", "both")))
            time.sleep(self.dice.random() * 0.1)
        self.disk.free()
        return True

    # ---- quiet moments ----

    def be_quiet(self):
        """Everybody is answered, and what was answered is true."""
        self.pause.set()
        end = time.monotonic() + TIMEOUT
        while any(client.left for client in self.clients if client.is_alive()) or not self.operator.rests():
            insist(time.monotonic() < end, f"not quiet: {self.scene.told[-3:]} {self.scene.status()}")
            self.scene.ensure()
            time.sleep(0.005)
        with self.lock:
            fresh, self.fresh = self.fresh, []
        self.compare(fresh)
        self.compare(self.dice.sample(self.kept, min(KEPT, len(self.kept))))
        self.scene.book.balance()
        parked = self.scene.call("parked")[0]["runs"]
        insist(self.scene.status()["parked"] == len(parked), f"status and list differ: {parked}")
        self.kept += [order for order in fresh if order.line]
        self.pause.clear()

    def compare(self, orders):
        for order in orders:
            if order.cancelled or order.reply["status"] == "refused":
                judge_unbegun(self.scene.book, order.tag)
                continue
            line = self.scene.ask(order.message)
            insist(line == order.line or order.reply["status"] == "parked",
                   f"asked again, {order.tag} is answered {line}, and was {order.line}")
            order.line = line
            try:
                judge(self.scene.book, order.tag, order.reply)
            except Lie as lie:
                raise Lie(f"{lie}\nthe reply: {line}\n{self.scene.book.tell(order.tag)}") from lie

    # ---- all of it ----

    def summary(self, seconds):
        with self.lock:
            counts = dict(sorted(self.counts.items()))
        counts["syncs that failed"] = self.points.failed("sync")
        told = ", ".join(f"{count} {what}" for what, count in counts.items())
        print(f"# {seconds:4.0f} s: {told}; {self.counts['violations']} violations", flush=True)

    def run(self):
        """Whether nothing was violated."""
        begun = time.monotonic()
        end, quiet, minute = begun + self.seconds, begun + QUIET_EVERY, begun + 60
        try:
            self.scene.start()
            self.scene.settle()
            for thread in [*self.clients, self.operator]:
                thread.start()
            while time.monotonic() < end and not self.violations:
                time.sleep(self.dice.random() * 0.15)
                self.scene.ensure()
                self.act(self.dice.choices(list(ACTIONS), list(ACTIONS.values()))[0])
                if time.monotonic() > quiet:
                    self.be_quiet()
                    quiet = time.monotonic() + QUIET_EVERY
                if time.monotonic() > minute:
                    self.summary(time.monotonic() - begun)
                    minute += 60
            if not self.violations:
                self.be_quiet()
                insist(self.scene.stop(), "ryusod did not end in good order")
        except Exception as error:  # whatever it is: it is what the soak is for
            self.violate(f"{type(error).__name__}: {error}")
        finally:
            self.over.set()
            if self.violations:
                print("# the daemons wrote:\n# " + self.scene.log()[-6000:].replace("\n", "\n# "), flush=True)
            self.scene.kill()
            self.disk.unmount()
        self.summary(time.monotonic() - begun)
        return not self.violations
