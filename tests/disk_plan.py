# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file that says which call fails (disk_faults.c)."""

import errno
import mmap
import struct

import disk

KINDS = ("write", "name", "sync", "allocation", "send")
SIDES = ("daemon", "worker")
SHORT = 1000
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EINTR": errno.EINTR, "ENOMEM": errno.ENOMEM, "short": SHORT}
MAGIC, STACKS_MAX = 0x544C4146, 1 << 18
NUMBER, ARMED, HITS, CRASHES, RECORDING, ASKED, STACKS = 16, 24, 32, 40, 48, 56, 136
SIZE = STACKS + 8 * STACKS_MAX


class Plan:
    def __init__(self, path, side, kind, error="EIO", number=0):
        """`number` 0: nothing fails, and who calls is written down."""
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(SIZE)
            self.map = mmap.mmap(file.fileno(), SIZE)
        self.place = (SIDES.index(side) * len(KINDS) + KINDS.index(kind)) * 8
        struct.pack_into("=4IQ", self.map, 0, MAGIC, SIDES.index(side), KINDS.index(kind), ERRORS[error], number)
        struct.pack_into("=Q", self.map, RECORDING, int(number == 0))

    def env(self, root):
        return {"LD_PRELOAD": disk.preloaded("disk_faults"), "DISK_FAULTS": self.path, "DISK_ROOT": root}

    def _number(self, offset):
        return struct.unpack_from("=Q", self.map, offset)[0]

    def arm(self):
        """From now on calls count."""
        struct.pack_into("=Q", self.map, ARMED, 1)

    @property
    def hits(self):
        return self._number(HITS)

    @property
    def crashes(self):
        return self._number(CRASHES)

    def calls(self):
        """How many there were."""
        return self._number(ASKED + self.place)

    def stacks(self):
        """Whence each of them came, from the first on."""
        return struct.unpack_from(f"={min(self.calls(), STACKS_MAX)}Q", self.map, STACKS)

    def close(self):
        self.map.close()
