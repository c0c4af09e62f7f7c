# SPDX-License-Identifier: LGPL-2.1-or-later
"""The states in which a disk may be found when the power comes back, and what must then be true."""

import collections
import hashlib
import json
import os
import shutil

import crash_programs
import disk
import points
from crash_cases import DECISIONS_MAX
from crash_programs import UNREVERSED, Lie, insist, judge, judge_remaining, of_run
from crash_scene import memory
from power_programs import Actor, Hearer, Recording, message, perform
from tap import wait_for

RANDOM_STATES = 6  # at each event

# number: of the last event before it; kept: how it came about, for people; state: path → Found
State = collections.namedtuple("State", "recording number how kept state truth")


class Choices:
    """What may be kept of what is pending at one moment: a list of (how, kept sectors, kept changes of names), made one
    by one."""

    def __init__(self, device, dice):
        self.device, self.dice = device, dice
        self.pending, self.changes = device.pending(), list(device.changes)
        self.latest = {slot: versions[-1] for slot, versions in self.pending.items()}
        self.all = [("nothing kept", self._nothing, None), ("all kept", self._all, None)]
        for slot, versions in self.pending.items():
            self.all += [("one sector kept", self._one, (slot, version)) for version in versions]
            self.all.append(("one sector lost", self._all_but, slot))
        for i in range(len(self.changes)):
            self.all += [("names up to there", self._names, self.changes[:i]),
                         ("one name kept", self._names, self.changes[i:i + 1]),
                         ("one name lost", self._names, self.changes[:i] + self.changes[i + 1:])]
        if self.pending or self.changes:
            self.all += [("some of it", self._some, None)] * RANDOM_STATES

    def __len__(self):
        return len(self.all)

    def __getitem__(self, i):
        how, make, argument = self.all[i]
        return how, *make(argument)

    def _nothing(self, _):
        return {}, []

    def _all(self, _):
        return self.latest, self.changes

    def _one(self, kept):
        return dict([kept]), self.changes

    def _all_but(self, lost):
        return {slot: version for slot, version in self.latest.items() if slot != lost}, self.changes

    def _names(self, changes):
        return self.latest, changes

    def _some(self, _):
        dice = self.dice
        likely = dice.choice((0.1, 0.5, 0.9))
        some = [change for change in self.changes if dice.random() < likely]
        return ({slot: dice.choice(versions) for slot, versions in self.pending.items() if dice.random() < likely},
                dice.choice((some, self.changes, self.changes[:dice.randint(0, len(self.changes))])))


def moments(recording):
    """(number, device, truth) wherever there are other states than before."""
    device = disk.Disk(recording.root, recording.start)
    hearer = Hearer(recording.known)
    for number, event in enumerate(recording.events):
        device.take(event)
        if hearer.take(event) or event.kind not in (disk.SYNC, disk.SYNCED, disk.SENT, disk.RECEIVED):
            yield number, device, hearer.truth()


def count_states(recording):
    """number of the event → how many choices there are behind it."""
    counts = {}
    for number, device, _ in moments(recording):
        pending = device.pending()
        counts[number] = 2 + sum(len(versions) + 1 for versions in pending.values()) + 3 * len(device.changes)
        counts[number] += RANDOM_STATES if pending or device.changes else 0
    return counts


def every_state(recording, dice):
    """All that differ from those before them, in their bytes or in what was said."""
    made, met = set(), set()
    for number, device, truth in moments(recording):
        said = (tuple(sorted(truth.lines.items())), truth.decided)
        for how, choice, changes in Choices(device, dice):
            key = hash((device.synced, frozenset((slot, version[0]) for slot, version in choice.items()),
                        tuple(change[0] for change in changes), said))
            if key in made:
                continue
            made.add(key)
            found = device.state(choice, changes)
            key = digest(found, said)
            if key not in met:
                met.add(key)
                yield State(recording, number, how, tell(choice, changes), found, truth)


def some_states(recording, dice, wanted):
    """`wanted` of them, at moments that are as likely as each other."""
    drawn = collections.Counter(dice.choices([number for number, _, _ in moments(recording)], k=wanted))
    for number, device, truth in moments(recording):
        choices = Choices(device, dice) if drawn[number] else ()
        for _ in range(drawn[number]):
            how, choice, changes = dice.choice(choices)
            yield State(recording, number, how, tell(choice, changes), device.state(choice, changes), truth)


def digest(found, said):
    whole = hashlib.sha1(repr(said).encode())
    for path in sorted(found):
        if disk.is_read(path):
            whole.update(path.encode() + b"\0" + (found[path].data if found[path] else b"/"))
    return whole.digest()


def tell(choice, changes):
    files = collections.defaultdict(list)
    for (inode, slot), (number, _) in choice.items():
        files[inode].append(f"{slot}@{number}")
    return "; ".join([f"inode {inode}: {' '.join(slots)}" for inode, slots in files.items()] +
                     [f"names@{number}: {entries}" for number, _, entries in changes])


def lied_to(recording, is_lie):
    """The state where nothing is kept when the first reply was given, on a disk of whose syncs some did nothing: those
    that `is_lie` says."""
    lies = {event.numbers[1] for event in recording.events if event.kind == disk.SYNC and is_lie(event)}
    events = [event for event in recording.events if event.kind != disk.SYNCED or event.numbers[1] not in lies]
    for number, device, truth in moments(recording._replace(events=events)):
        if truth.lines:
            return State(recording, number, "syncs that did nothing", "", device.state({}, []), truth)
    raise Lie("nobody was answered")


def on_the_way(recording, count):
    """States in which all was kept, before anybody was answered."""
    states = [State(recording, number, "all kept", "", device.state(*Choices(device, None)[1][1:]), truth)
              for number, device, truth in moments(recording) if not truth.lines]
    return states[::-max(1, len(states) // (2 * count))][:count]


# ---- what a daemon makes of it ----

def lay_out(directory, state):
    """The files, and the list of where they were."""
    places = []
    for path, found in sorted(state.items()):
        target = directory / path
        if found is None:
            target.mkdir(mode=0o700)
            continue
        target.write_bytes(found.data)
        target.chmod(0o600)
        if found.place:
            places.append(f"{target.stat().st_ino} {found.place[0]} {found.place[1]}\n")
    (directory / "places").write_text("".join(places))
    return directory / "places"


def scene_of(directory, state, module, trace=None):
    """A daemon on it, after another boot, not started yet."""
    place = disk.preloaded("disk_place")
    scene = Actor(directory, state.state["book.sqlite"].data, trace, place, module=module)
    places = lay_out(directory, state.state)
    scene.env.setdefault("LD_PRELOAD", place)
    scene.env.update(DISK_PLACES=places, RYUSO_BOOT_ID=f"{state.recording.boot + 1:032x}")
    return scene


def play(state, module, thorough=False, placed=True):
    """None, or what is wrong: for people. `placed`: the files are where they were."""
    directory = memory("ryuso-power-")
    outside = memory("ryuso-power-")
    try:
        with scene_of(directory, state, module) as scene:
            scene.env.update(points.Points(outside / "points").env())
            if not placed:
                del scene.env["DISK_PLACES"]
            try:
                bear_out(scene, state, thorough)
            except Exception as error:  # whatever it is: the state did not pass
                return complain(scene, state, error)
        return None
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(outside, ignore_errors=True)


def complain(scene, state, error):
    around = state.recording.events[max(0, state.number - 8):state.number + 1]
    events = "\n".join(f"event {state.number - len(around) + 1 + i}: kind {event.kind} pid {event.pid} {event.numbers}"
                       f" {event.data[:20]!r}" for i, event in enumerate(around))
    told = "\n".join(scene.tell(ask.tag) for ask in state.recording.asks[:3])
    return (f"{state.recording.name}, power lost after event {state.number}, {state.how}: {type(error).__name__}: "
            f"{error}\nkept: {state.kept[:2000]}\nfiles: "
            f"{ {path: len(found.data) if found else '/' for path, found in state.state.items()} }\n"
            f"said before: {state.truth.lines}\n{events}\n{told}")


def bear_out(scene, state, thorough):
    """What was said holds, what was not said becomes true."""
    scene.start()
    insist(not scene.status().get("held"), "the recorder is damaged: the queue is held")
    lines = {}
    for ask in state.recording.asks:
        given = state.truth.lines.get(ask.tag)
        line = scene.ask(message(ask))
        insist(scene.ask(message(ask)) == line, "asked again, the reply is another one")
        check_given(ask, state, given, line)
        lines[ask.tag] = finish(scene, ask, line)
    scene.book.balance()
    status = wait_for(lambda: stored(scene.status()), "what has ended to be stored")
    insist(status["parked"] == 0 and status["state"] == "running", f"the status: {status}")
    if not thorough:
        return
    insist(scene.stop(), "ryusod did not end in good order")
    for ask in state.recording.asks:
        insist(scene.ask(message(ask)) == lines[ask.tag], "after a restart the reply is another one")
    insist(scene.stop(), "ryusod did not end in good order")


def stored(status):
    """The status, once the ledger has what it counts."""
    return status if "ledger" not in status or status["ledger"]["under_way"] == 0 else None


def is_weak(ask):
    return crash_programs.PROGRAMS[ask.program].get("durability") == "process"


def check_given(ask, state, given, line):
    """What was said before the power failed."""
    if given is None or is_weak(ask):
        return
    before, now = json.loads(given), json.loads(line)
    insist(before["run"] == now["run"], f"run {before['run']} was spoken of, and now {now['run']}")
    if before["status"] == "queued" or (before["status"] == "parked" and state.truth.decided):
        return
    insist(given == line, f"it was said: {given}")


def is_damaged(reply):
    return reply["status"] == "parked" and reply["parked"]["name"] == "Damaged"


def judge_one(book, ask, reply):
    """Where nothing was synced, what came before may have been forgotten: only of what nothing can reverse."""
    alone = not is_weak(ask)
    if alone:
        others = [row for row in book.read(ask.tag).calls if row["run"] != reply["run"]]
        insist(all(row["hook"] in UNREVERSED for row in others), "another run of it is in the book")
        insist(not is_damaged(reply), f"parked: {reply.get('parked')}")
    judge(book, ask.tag, reply, alone=False)


def judge_weak(book, ask, reply):
    """Of one of which not all is known, whatever may have had an effect is told to remain."""
    insist(reply["status"] != "rectified", "it is damaged, and then said to be rectified")
    if reply["status"] == "succeeded":  # it had come to its end
        judge(book, ask.tag, reply, alone=False)
    else:
        judge_remaining(ask.program, of_run(book.read(ask.tag), reply["run"]), reply)


def finish(scene, ask, line):
    """The last word about it: an operator takes up what is parked."""
    weak = False
    for _ in range(DECISIONS_MAX):
        reply = json.loads(line)
        weak = weak or is_weak(ask) and is_damaged(reply)  # from then on it is known that not all is known
        (judge_weak if weak else judge_one)(scene.book, ask, reply)
        if reply["status"] != "parked":
            return line
        scene.operate(ask.tag, reply)
        line = scene.ask(message(ask))
    raise Lie(f"still parked after {DECISIONS_MAX} decisions")


def record_again(state, module):
    """The recovery from that state, written down like the first life."""
    directory = memory("ryuso-power-")
    outside = memory("ryuso-power-")
    trace = disk.Trace(outside / "trace", directory)
    try:
        with scene_of(directory, state, module, trace) as scene:
            scene.env.update(points.Points(outside / "points").env())
            start = inventory(directory, state.state)
            scene.start()
            perform(scene, state.recording.asks)
        root = os.stat(directory).st_ino
        return Recording(f"{state.recording.name} (event {state.number}, {state.how}), recovered",
                         state.recording.asks, root, start, trace.read(), state.truth, state.recording.boot + 1)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(outside, ignore_errors=True)


def inventory(directory, state):
    """What lies there, for disk.Disk; directories as {…}."""
    found = {}
    for path, file in state.items():
        parent, name = found, path
        while "/" in name:
            first, name = name.split("/", 1)
            parent = parent[first][1]
        inode = (directory / path).stat().st_ino
        parent[name] = (inode, {}) if file is None else (inode, file.data, file.place)
    return found
