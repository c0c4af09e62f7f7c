# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of reloads share: a daemon that is told by its settings which module to use, and that file of settings,
which can be written anew."""

import os
import shutil
import signal

from project import LIBRARY
from shop import Shop, build, result
from tap import Daemon, scratch, wait_for


class Service(Shop):
    """A shop whose module, settings and daemon come and go."""

    def __init__(self, module=None, **settings):
        super().__init__()
        self.module = scratch() / "shop.so"
        self.install(module or build())
        self.settings = {"Module": self.module, **settings}

    def install(self, module):
        """As `make install` does it: under another name first. Bytes: what is no module at all."""
        fresh = self.module.with_suffix(".new")
        if isinstance(module, bytes):
            fresh.write_bytes(module)
        else:
            shutil.copy(module, fresh)
        os.rename(fresh, self.module)

    def configure(self, **settings):
        """What is to be read next; None takes a setting away."""
        self.settings.update(settings)
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self.write("".join(f"{name}={value}\n" for name, value in self.settings.items()))

    def write(self, text):
        (self.directory / "ryuso.conf").write_text("[Daemon]\n" + text)

    def start(self, state="running", **options):
        options.setdefault("env", {})["LD_LIBRARY_PATH"] = str(LIBRARY)
        daemon = Daemon(settings=self.settings, directory=self.directory, **options)
        with daemon.client() as client:
            wait_for(lambda: result(client, "status")["state"] == state, f"the daemon to be {state}")
        return daemon


def hang_up(daemon, text="the settings were"):
    """SIGHUP, and waits for what comes of it: the line."""
    before = daemon.log().count(text)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: daemon.log().count(text) > before, f"{text!r} in the log")
    return [line for line in daemon.log().splitlines() if text in line][-1]


def module_in_use(client):
    return result(client, "status")["module"]["build_id"]


def held(service, client, step="book", **members):
    """A run that has begun, and stands in that hook until it is let go on."""
    service.let(step, "wait")
    before = len(service.lines())
    client.send(service.order(**members))
    wait_for(lambda: any(line.startswith(f"{step} ") for line in service.lines()[before:]), f"the run to stand in {step}")
