# SPDX-License-Identifier: LGPL-2.1-or-later
"""One case of the test of crash points: a program, and where who dies; and what must be found whatever comes of it."""

import collections
import json
import shutil

import crash_programs
import points
from crash_programs import ENDS, Lie, insist, judge, request
from crash_scene import Scene, memory

DECISIONS_MAX = 8

Kill = collections.namedtuple("Kill", "place victim")
Case = collections.namedtuple("Case", "program kills")
# places: what was reached in all; behind: what was reached in the recovery from the first kill, counted from there;
# left: how many more places the worker came by, which says how far the run was
Found = collections.namedtuple("Found", "hits places behind left problem")


def text(case):
    kills = ", then ".join(f"{kill.victim} killed at {points.text(kill.place)}" for kill in case.kills)
    return f"{case.program}: {kills or 'nobody killed'}"


class Stage:
    """What all cases share: the module, an empty book."""

    def __init__(self):
        self.directory = memory()
        self.module = crash_programs.module()
        book = crash_programs.Book(self.directory / "template.sqlite")
        self.template = book.path.read_bytes()

    def perform(self, case):
        directory = memory()
        try:
            with Scene(directory, self.template, module=self.module) as scene:
                return play(scene, case)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def play(scene, case):
    file = points.Points(scene.directory / "points")
    for kill in case.kills:
        file.kill(kill.place, kill.victim)
    scene.points, scene.env = file, file.env()
    answers = []  # for each, how many had been killed, and how many points reached
    scene.on_told = lambda: answers.append((file.hits, file.logged))
    tag = "r"
    problem = None
    try:
        live(scene, case, tag)
    except Lie as lie:
        log = " ".join(f"{side[0]}:{name}" for side, name, _ in file.log()[-300:])
        problem = f"{text(case)}: {lie}\n{scene.tell(tag)}\npoints: {log}"
    except Exception as error:  # whatever it is: the case did not pass
        problem = f"{text(case)}: {type(error).__name__}: {error}\n{scene.tell(tag)}"
    log = file.log()
    end = next((logged for hits, logged in answers if hits), len(log))
    since = log[hit_at(log, case):end]
    left = sum(side == "worker" and name.startswith("before-record") for side, name, _ in since)
    return Found(file.hits, points.places(log), recovery_of(points.places(since)), left, problem)


def recovery_of(places):
    """A recovery is over when there is an answer, or when the first call that it makes has ended (before that, the one
    that was interrupted is said to have): the run is then like any other, of which every place has been come by."""
    ends = [i for i, place in enumerate(places) if (place.side, place.name) == ("worker", "after-record-END")]
    return places[:ends[1] + 1] if len(ends) > 1 else places


def hit_at(log, case):
    """How many entries of the log there were when the first kill hit; all, where it did not."""
    if not case.kills:
        return len(log)
    place = case.kills[0].place
    seen = 0
    for i, (side, name, _) in enumerate(log):
        seen += (side, name) == (place.side, place.name)
        if seen == place.ordinal:
            return i + 1
    return len(log)


def live(scene, case, tag):
    message = request(case.program, tag, request_id=tag, id=7)
    scene.start()
    scene.settle()
    line = ask_twice(scene, message, tag)
    line = decide_to_the_end(scene, message, tag, line)
    if not case.kills:
        insist(json.loads(line)["status"] in (ENDS[case.program], "settled", "rectified"), "another end than expected")
    while not scene.stop():  # what one that was killed on its way has left is recovered by one that may be killed, too
        scene.ensure()
        scene.settle()
    scene.env = {}
    insist(scene.ask(message) == line, "after a restart the reply is another one")
    judge(scene.book, tag, json.loads(line))
    scene.book.balance()
    status = scene.status()
    insist(status["parked"] == 0 and status["state"] == "running", f"the status: {status}")
    insist(scene.stop(), "ryusod did not end in good order")
    left = sorted(path.name for path in scene.state.iterdir())
    insist("recorder" not in left, f"nothing is unfinished, and the state directory holds {left}")


def ask_twice(scene, message, tag):
    """The one line that answers it, which the book bears out."""
    line = scene.ask(message)
    insist(scene.ask(message) == line, "asked again, the reply is another one")
    reply = json.loads(line)
    insist(reply["id"] == message["id"] and reply["program"] == message["program"], "it is the reply to something else")
    judge(scene.book, tag, reply)
    return line


def decide_to_the_end(scene, message, tag, line):
    """An operator takes up what is parked until it is not."""
    for _ in range(DECISIONS_MAX):
        reply = json.loads(line)
        if reply["status"] != "parked":
            return line
        shown, error = scene.call("show", run=reply["run"])
        insist(shown and shown["status"] == "parked", f"show says {shown or error}")
        insist(shown["remaining"] == reply["remaining"], f"show says that {shown['remaining']} remain")
        insist(reply["run"] in [run["run"] for run in scene.call("parked")[0]["runs"]], "it is not listed as parked")
        result = scene.operate(tag, reply)
        line = ask_twice(scene, message, tag)
        insist({"id": message["id"], **result} == json.loads(line), f"wait says {result}")
    raise Lie(f"still parked after {DECISIONS_MAX} decisions")
