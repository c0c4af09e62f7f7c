# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users and groups of a daemon's own: what is started within has other files /etc/passwd and /etc/group than this
system, and they may change while it runs. Needs root."""

import os
import pathlib

from tap import program, scratch


class Accounts:
    def __init__(self, users=None, groups=None):
        self.directory = scratch()
        self.write(users, groups)
        wrapper = self.directory / "ryusod"
        binds = " && ".join(f"mount --bind {self.directory}/{name} /etc/{name}" for name in ("passwd", "group"))
        wrapper.write_text("#!/bin/sh\nexec unshare --mount --propagation private sh -c "
                           f"'{binds} && exec \"$0\" \"$@\"' '{program('ryusod')}' \"$@\"\n")
        wrapper.chmod(0o755)
        self.wrapper = str(wrapper)

    def write(self, users=None, groups=None):
        """This system's, and those of these names and numbers instead of any other of theirs."""
        for name, own, line in (("passwd", users, "{0}:x:{1}:{1}::/:/bin/false"), ("group", groups, "{0}:x:{1}:")):
            own = own or {}
            lines = [text for text in pathlib.Path(f"/etc/{name}").read_text().splitlines()
                     if text.split(":")[0] not in own and text.split(":")[0] != "ryuso-admin"]
            lines += [line.format(key, number) for key, number in own.items()]
            (self.directory / name).write_text("\n".join(lines) + "\n")

    def __enter__(self):
        self.before = os.environ.get("RYUSOD")
        os.environ["RYUSOD"] = self.wrapper
        return self

    def __exit__(self, *_):
        if self.before:
            os.environ["RYUSOD"] = self.before
        else:
            del os.environ["RYUSOD"]
