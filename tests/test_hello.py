#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The smallest example: three hooks, one rectifier."""

import pathlib

from project import example
from tap import Daemon, equal, main, scratch, test

MODULE = example("hello").build()


def greet(directory, **arguments):
    with Daemon(module=MODULE) as daemon, daemon.client() as client:
        return client.ask({"program": "greet", "data_pool": {"directory": str(directory), **arguments}})


@test
def somebody_is_greeted():
    directory = scratch()
    reply = greet(directory, name="world")
    equal((reply["status"], reply["data_pool"]["greeting"]), ("succeeded", "Hello, world!"), f"what came of {reply}")
    [file] = directory.iterdir()
    equal(reply["data_pool"]["file"], str(file), "the file")
    equal(file.read_text(), "Hello, world!", "what it says")


@test
def nobody_is_not_and_the_greeting_is_taken_down():
    directory = scratch()
    reply = greet(directory, name="nobody")
    equal((reply["status"], reply["error"]["reason"]), ("rectified", "NobodyThere"), f"what came of {reply}")
    equal(reply["rectified"], [{"step": 2, "hook": "put_up"}], "what was rectified")
    equal(list(directory.iterdir()), [], "what is left in the directory")


@test
def where_nothing_can_be_put_up_nothing_is():
    reply = greet("/nowhere", name="world")
    equal((reply["status"], reply["error"]["reason"], reply["rectified"]), ("rectified", "BadDirectory", []),
          f"what came of {reply}")
    reply = greet(scratch(), name="w" * 1000)
    equal(reply["error"]["reason"], "NameTooLong", f"what came of {reply}")


@test
def the_default_directory_is_used():
    with Daemon(module=MODULE) as daemon, daemon.client() as client:
        reply = client.ask({"program": "greet", "data_pool": {"name": "world"}})
    file = pathlib.Path(reply["data_pool"]["file"])
    equal((str(file.parent), file.read_text()), ("/tmp", "Hello, world!"), "the file")
    file.unlink()


main()
