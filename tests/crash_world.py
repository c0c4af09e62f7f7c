# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is around a daemon and may change under it: the module's file, and a disk that can be full."""

import errno
import os
import subprocess

import crash_programs


class Builds:
    """Two builds of the module, installed as `make install` does: beside each other, and a link to the one in use."""

    def __init__(self, directory):
        self.directory = directory
        self.names = []
        for name in ("one", "other"):
            built = crash_programs.project().build("LDLIBS=-lsqlite3",
                                                   f"LDFLAGS=-Wl,--defsym=build_{name}=0")
            self.names.append(f"crash-{build_id(built)}.so")
            (directory / self.names[-1]).write_bytes(built.read_bytes())
        assert self.names[0] != self.names[1]
        self.current = 0
        self._link()

    @property
    def path(self):
        return self.directory / "crash.so"

    def _link(self):
        new = self.directory / ".crash.so.new"
        new.symlink_to(self.names[self.current])
        os.rename(new, self.path)

    def replace(self):
        self.current = 1 - self.current
        self._link()


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    return notes.split("Build ID:")[1].split()[0]


class Disk:
    """A small one for the state directory, where we may mount; else this directory, which is never full."""

    def __init__(self, directory, size):
        self.directory = directory
        self.ballast = directory / "ballast"
        self.small = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "ryuso-soak", directory], check=False,
            stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self):
        self.ballast.unlink(missing_ok=True)

    def unmount(self):
        if self.small:
            subprocess.run(["umount", "-l", self.directory], check=True)
            self.small = False
