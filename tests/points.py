# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file of points (src/base/point.c says what stands where): which places the processes of a daemon have reached,
and where one of them is to die, or a write or a sync to fail.

    points = Points(directory / "points")
    points.kill(Place("worker", "before-call", 2), "daemon")
    Daemon(module=..., env=points.env())

A place is a name, and how many points of that name its side has reached with it. Unlike a plain number, that is the
same however often the loop of a process turned idly."""

import collections
import mmap
import struct

SIDES = ("daemon", "worker")
VICTIMS = {"worker": 1, "daemon": 2, "both": 3, "stop": 4}  # "stop": both are stopped
FAULTS = ("sync", "write", "allocation")

MAGIC, VERSION = 0x544E5052, 1
PIDS, REACHED, HITS, ORDERS, FAULTS_AT, LOGGED, LOG, FILTERS = 8, 16, 48, 56, 88, 232, 240, 196848
ORDER, FAULT, ENTRY, FILTER, LOG_MAX, NAME_SIZE = 16, 48, 48, 40, 4096, 32
SIZE = FILTERS + 2 * FILTER

Place = collections.namedtuple("Place", "side name ordinal")


def text(place):
    return f"{place.side}:{place.name}#{place.ordinal}"


class Points:
    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(SIZE)
            self.map = mmap.mmap(file.fileno(), SIZE)
        struct.pack_into("=II", self.map, 0, MAGIC, VERSION)
        self.orders = 0

    def env(self):
        return {"RYUSO_POINTS": self.path}

    def _number(self, offset):
        return struct.unpack_from("=Q", self.map, offset)[0]

    # ---- orders ----

    def kill(self, place, victim):
        """The first order, or the one that is armed when the first has hit, and counts from there."""
        offset = FILTERS + self.orders * FILTER
        name = place.name.encode()[:NAME_SIZE - 1]
        struct.pack_into(f"=Q{NAME_SIZE}s", self.map, offset, 0, name)
        struct.pack_into("=IIQ", self.map, ORDERS + self.orders * ORDER, SIDES.index(place.side), VICTIMS[victim],
                         place.ordinal)
        self.orders += 1

    @property
    def hits(self):
        """How many orders have hit."""
        return self._number(HITS)

    def fail(self, what, side, error, skip=0, for_good=False):
        """The next `what` ("sync", "write") of that side fails with this errno; with `skip`, one after that many more;
        `for_good`: all behind it, too."""
        offset = FAULTS_AT + FAULTS.index(what) * FAULT
        asked = self._number(offset + 24 + 8 * SIDES.index(side))
        struct.pack_into("=Q", self.map, offset + 16, 0)
        struct.pack_into("=IIII", self.map, offset, SIDES.index(side), error, int(for_good), 0)
        struct.pack_into("=Q", self.map, offset + 16, asked + skip + 1)

    def heal(self, what):
        """Nothing of that kind fails any more."""
        struct.pack_into("=Q", self.map, FAULTS_AT + FAULTS.index(what) * FAULT + 16, 0)

    def failed(self, what):
        """How many have failed."""
        return self._number(FAULTS_AT + FAULTS.index(what) * FAULT + 40)

    # ---- what was reached ----

    def pid(self, side):
        return struct.unpack_from("=I", self.map, PIDS + 4 * SIDES.index(side))[0]

    def reached(self, side):
        return self._number(REACHED + 8 * SIDES.index(side))

    @property
    def logged(self):
        return self._number(LOGGED)

    def log(self, first=0):
        """(side, name, pid) of each point since the `first` ones, oldest first; no more than the file keeps."""
        logged = self.logged
        found = []
        for i in range(max(first, logged - LOG_MAX), logged):
            number, side, pid, name = struct.unpack_from(f"=QII{NAME_SIZE}s", self.map, LOG + i % LOG_MAX * ENTRY)
            if number:
                found.append((SIDES[side], name.split(b"\0")[0].decode(), pid))
        return found

    def places(self, first=0):
        """The same as places, counted from there."""
        return places(self.log(first))


def places(log):
    counts = collections.Counter()
    found = []
    for side, name, _ in log:
        counts[side, name] += 1
        found.append(Place(side, name, counts[side, name]))
    return found
