#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers that are sent together: quick runs of one connection, while the daemon knows them to be quick."""

import json
import shutil

from project import LIBRARY, Project
from tap import TOP_SOURCE, Daemon, check, equal, main, scratch, test

QUICK = {"program": "count", "data_pool": {"n": 1}}
HOLD = r"""
#include <unistd.h>

ryuso_status steps_hold(ryuso_run *run, const struct steps_hold_args *args)
{
	(void)run;
	while (access(args->path, F_OK) < 0)
		usleep(1000);
	return RYUSO_OK;
}
"""


def build():
    """Five hooks that do nothing, and one that waits for a file."""
    project = Project()
    shutil.copytree(TOP_SOURCE / "tests" / "bench" / "noop", project.directory, dirs_exist_ok=True)
    spec = json.loads((project.directory / "ryu_spec.json").read_text())
    path = {"path": {"type": "string", "required": True}}
    spec["programs"]["hold"] = {"durability": "process", "args": path, "outputs": {}, "hooks": ["hooks.hold"]}
    spec["hooks"]["hold"] = {"reference": "noop.steps.hold", "args": path, "outputs": {}}
    project.write(json.dumps(spec))
    with open(project.directory / "hooks" / "steps.c", "a") as steps:
        steps.write(HOLD)
    project.generate()
    return project.build("CFLAGS=-O2")


_module = []


def serve():
    if not _module:
        _module.append(build())
    return Daemon(module=_module[0], env={"LD_LIBRARY_PATH": str(LIBRARY)})


def ask_many(client, count=16):
    client.send(*[{**QUICK, "id": number} for number in range(count)])
    replies = client.replies(count)
    equal([reply["id"] for reply in replies], list(range(count)), "the order")
    check(all(reply["data_pool"] == {"n": 6} for reply in replies), f"{replies}")


@test
def all_are_answered_in_order():
    with serve() as daemon, daemon.client() as client, daemon.client() as other:
        for _ in range(20):
            ask_many(client)
            ask_many(other, 100)


@test
def what_is_done_is_answered_while_the_next_of_the_same_client_takes_long():
    path = scratch() / "go"
    with serve() as daemon, daemon.client() as client:
        for _ in range(50):
            ask_many(client)
        client.send(QUICK, QUICK, {"program": "hold", "data_pool": {"path": str(path)}}, QUICK)
        equal([reply["status"] for reply in client.replies(2)], ["succeeded"] * 2, "those before")
        path.touch()
        equal([reply["program"] for reply in client.replies(2)], ["hold", "count"], "those after")


@test
def one_who_half_closes_gets_all_answers():
    with serve() as daemon:
        with daemon.client() as client:
            for _ in range(50):
                ask_many(client)
        for count in (1, 2, 40):
            with daemon.client() as client:
                client.send(*[QUICK] * count)
                client.finish()
                equal(len(client.rest()), count, "answers")


main()
