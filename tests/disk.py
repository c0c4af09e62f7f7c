# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk that is written by several processes and may lose its power: what they did (disk_trace.h), and every state in
which it may then be found.

    trace = Trace(path, root); …(processes that run with trace.env())…; events = trace.read()
    disk = Disk(files_at_the_beginning, root's inode)
    for event in events: disk.take(event)
    disk.pending(); disk.state(choice)

What is not synced may be lost, kept in part, in sectors of 512 bytes, and in whatever order. A name is durable when its
directory was synced. Only the order of a file's sizes is kept: a file that was cut and written anew holds no mixture."""

import collections
import mmap
import os
import struct

from project import SANITIZED
from tap import TOP_SOURCE, run, scratch

SECTOR, PAGE = 512, 4096
MAGIC = 0x4B534944
WRITE, SIZE, CREATE, RENAME, UNLINK, SYNC, SYNCED, SENT, RECEIVED = range(1, 10)
AREA, SHADE_SIZE, LOG_SIZE = 1 << 17, 1 << 28, 1 << 30
RENAME_EXCHANGE = 2
SIZE_SLOT = "size"

Event = collections.namedtuple("Event", "kind pid numbers data")
# offset: of the whole file's bytes; place: (inode, born) as whoever looks is told
Found = collections.namedtuple("Found", "data place")

_libraries = {}


def preloaded(*sources):
    """The path of a library to be preloaded, made of these files; built once."""
    if sources not in _libraries:
        path = scratch() / f"{sources[0]}.so"
        run(os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
            "-shared", "-fPIC", "-o", path, *[TOP_SOURCE / "tests" / f"{name}.c" for name in sources], "-lpthread")
        _libraries[sources] = path
    return _libraries[sources]


def why_not():
    """Why nothing can be preloaded here; None: it can."""
    return "the sanitizers' own library must come first" if SANITIZED else None


class Trace:
    """The file that they write into."""

    def __init__(self, path, root):
        self.path, self.root = path, root
        with open(path, "w+b") as file:
            file.truncate(AREA + SHADE_SIZE + LOG_SIZE)
            file.write(struct.pack("=IIQQQQ", MAGIC, 0, AREA + SHADE_SIZE, AREA + SHADE_SIZE + LOG_SIZE, AREA,
                                   AREA + SHADE_SIZE))

    def env(self, *more):
        libraries = [preloaded("disk_trace", "disk_shadow", "disk_calls", "disk_syncs"), *more]
        return {"LD_PRELOAD": ":".join(map(str, libraries)), "DISK_TRACE": self.path, "DISK_ROOT": self.root}

    def read(self):
        with open(self.path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as image:
            end, = struct.unpack_from("=Q", image, 8)
            lost, = struct.unpack_from("=Q", image, 48)
            assert lost == 0, f"the trace has lost {lost} events"
            events = []
            at = AREA + SHADE_SIZE
            while at < end:
                size, kind, pid, data_size, *numbers = struct.unpack_from("=IIII4Q", image, at)
                events.append(Event(kind, pid, numbers, image[at + 48:at + 48 + data_size]))
                at += size
        os.unlink(self.path)
        return events


class File:
    """One inode. A version is (number of its event, value); the value of a sector its 512 bytes."""

    def __init__(self, data=b"", place=None):
        self.now = bytearray(data)
        self.disk = bytes(data)
        self.versions = {}
        self.cuts = []  # (number of the event, size)
        self.place = place

    def sector(self, number):
        return bytes(self.now[number * SECTOR:(number + 1) * SECTOR]).ljust(SECTOR, b"\0")

    def on_disk(self, slot):
        if slot == SIZE_SLOT:
            return len(self.disk)
        return self.disk[slot * SECTOR:(slot + 1) * SECTOR].ljust(SECTOR, b"\0")

    def add(self, number, slot, value):
        versions = self.versions.get(slot)
        if value != (versions[-1][1] if versions else self.on_disk(slot)):
            self.versions.setdefault(slot, []).append((number, value))

    def write(self, number, offset, data):
        end = offset + len(data)
        if end > len(self.now):
            self.now.extend(bytes(end - len(self.now)))
            self.add(number, SIZE_SLOT, end)
        self.now[offset:end] = data
        for slot in range(offset // SECTOR, (end + SECTOR - 1) // SECTOR):
            self.add(number, slot, self.sector(slot))

    def resize(self, number, size):
        if size < len(self.now):
            del self.now[size:]
            self.cuts.append((number, size))
            self.versions.setdefault(SIZE_SLOT, []).append((number, size))
        elif size > len(self.now):
            self.now.extend(bytes(size - len(self.now)))
            self.add(number, SIZE_SLOT, size)

    def sync(self, begun, offset, size):
        """All that there was when it began is durable."""
        last = (offset + size + PAGE - 1) // PAGE * PAGE // SECTOR if size else None
        first = offset // PAGE * PAGE // SECTOR
        choice = {}
        for slot, versions in list(self.versions.items()):
            known = [version for version in versions if version[0] < begun]
            if not known or slot != SIZE_SLOT and last is not None and not first <= slot < last:
                continue
            choice[slot] = known[-1]
            self.versions[slot] = versions[len(known):]
            if not self.versions[slot]:
                del self.versions[slot]
        self.disk = self.content(choice)
        self.cuts = [cut for cut in self.cuts if cut[0] >= begun]

    def content(self, choice):
        """`choice`: slot → version; what is not in it is as it was."""
        sized, size = choice.get(SIZE_SLOT, (-1, len(self.disk)))
        data = bytearray(self.disk)
        for number, cut in self.cuts:
            if number <= sized:
                del data[cut:]
        held = len(data)
        data.extend(bytes(max(0, size - held)))
        for slot, (number, value) in choice.items():
            if slot == SIZE_SLOT or any(cut > sized and cut < number for cut, _ in self.cuts):
                continue  # what was written behind a cut that did not happen
            if any(number < cut <= sized and slot * SECTOR >= to for cut, to in self.cuts):
                continue  # what was cut off
            if slot * SECTOR < size:
                data[slot * SECTOR:(slot + 1) * SECTOR] = value
        return bytes(data[:size])


class Disk:
    def __init__(self, root, files):
        """`root`: its directory's inode; `files`: name → (inode, bytes, place), or (inode, {…}); durable."""
        self.root = root
        self.files, self.directories = {}, {}
        self._fill(root, files)
        self.changes = []  # (number of the event, directory, [(name, inode or None)])
        self.syncs = {}
        self.synced = 0  # how many have ended: what is durable is another one
        self.number = 0

    def _fill(self, directory, entries):
        self.directories[directory] = {name: entry[0] for name, entry in entries.items()}
        for inode, content, *place in entries.values():
            if place:
                self.files[inode] = File(content, *place)
            else:
                self._fill(inode, content)

    def take(self, event):
        handler = {WRITE: self._write, SIZE: self._size, CREATE: self._create, RENAME: self._rename,
                   UNLINK: self._unlink, SYNC: self._sync, SYNCED: self._synced}.get(event.kind)
        if handler:
            handler(event)
        self.number += 1

    def _write(self, event):
        if event.numbers[0] in self.files:
            self.files[event.numbers[0]].write(self.number, event.numbers[1], event.data)

    def _size(self, event):
        if event.numbers[0] in self.files:
            self.files[event.numbers[0]].resize(self.number, event.numbers[1])

    def _change(self, directory, *entries):
        self.changes.append((self.number, directory, list(entries)))

    def _create(self, event):
        inode, directory, is_directory, born = event.numbers
        if is_directory:
            self.directories.setdefault(inode, {})
        else:
            self.files.setdefault(inode, File(place=(inode, born)))
        self._change(directory, (event.data.decode(), inode))

    def _names(self, directory):
        """As whoever looks now sees them."""
        names = dict(self.directories[directory])
        for _, changed, entries in self.changes:
            if changed == directory:
                names.update(entries)
        return names

    def _rename(self, event):
        inode, directory, into, flags = event.numbers
        old, new = (name.decode() for name in event.data.split(b"\0"))
        assert directory == into, "nothing is moved between directories"
        other = self._names(directory).get(new) if flags & RENAME_EXCHANGE else None
        self._change(directory, (old, other), (new, inode))

    def _unlink(self, event):
        self._change(event.numbers[1], (event.data.decode(), None))

    def _sync(self, event):
        inode, number, offset, size = event.numbers
        self.syncs[number] = (self.number, inode, offset, size)

    def _synced(self, event):
        begun, inode, offset, size = self.syncs.pop(event.numbers[1])
        self.synced += 1
        if inode in self.files:
            self.files[inode].sync(begun, offset, size)
        elif inode in self.directories:
            for number, directory, entries in self.changes:
                if directory == inode and number < begun:
                    self.directories[inode].update(entries)
            self.changes = [change for change in self.changes if change[1] != inode or change[0] >= begun]

    # ---- states ----

    def pending(self):
        """(inode, slot) → versions, of what somebody may see."""
        seen = set()
        for names in list(self.directories.values()) + [dict(entries) for _, _, entries in self.changes]:
            seen.update(inode for name, inode in names.items() if inode in self.files and is_read(name))
        return {(inode, slot): versions for inode in sorted(seen)
                for slot, versions in self.files[inode].versions.items()}

    def state(self, choice, changes):
        """Path below the root → Found. `choice`: (inode, slot) → version; `changes`: those of names that are kept."""
        directories = {inode: dict(names) for inode, names in self.directories.items()}
        for _, directory, entries in changes:
            directories[directory].update(entries)
        chosen = {}
        for (inode, slot), version in choice.items():
            chosen.setdefault(inode, {})[slot] = version
        return self._walk(self.root, "", directories, chosen)

    def _walk(self, directory, prefix, directories, chosen):
        found = {}
        for name, inode in directories[directory].items():
            if inode in directories:
                found[prefix + name] = None
                found.update(self._walk(inode, prefix + name + "/", directories, chosen))
            elif inode in self.files and not name.endswith("-shm"):
                file = self.files[inode]
                found[prefix + name] = Found(file.content(chosen.get(inode, {})), file.place)
        return found


def is_read(name):
    """What was not given its name yet is made anew, and what is shared by memory does not outlive a machine."""
    return ".new" not in name and not name.endswith("-shm") and name not in ("lock", "tree")
