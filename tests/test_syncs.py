#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many records a run takes and how often the disk is waited for: as many times as HACKING.md says, and no more."""

from busy import busy, status
from project import LIBRARY, Project, example, spec
from tap import Daemon, check, equal, main, scratch, test

NOTHING = {"program": "nothing"}  # five steps without rectifiers
HOOK = """
ryuso_status steps_all_{name}(ryuso_run *run, const struct steps_all_{name}_args *args)
{{
	(void)args;
	{body}
	return RYUSO_OK;
}}
"""


def counts(daemon):
    found = status(daemon)["recorder"]
    return found["records"], found["worker_syncs"], found["syncs"]


def costs(daemon, client, request):
    """Records, syncs of the worker, syncs of the daemon, of one run."""
    before = counts(daemon)
    check(client.ask(request)["success"], f"expected {request} to succeed")
    return tuple(after - earlier for earlier, after in zip(before, counts(daemon)))


@test
def five_steps_without_rectifiers_wait_for_the_disk_once():
    with busy() as daemon, daemon.client() as client:
        for _ in range(3):
            equal(costs(daemon, client, NOTHING), (12, 0, 1), "records, syncs of the worker and of the daemon")
        last = status(daemon)["recorder"]["last_run"]
        equal((last["records"], last["syncs"]), (12, 0), "the last run")


@test
def one_sync_serves_all_that_wait_for_it():
    with busy() as daemon, daemon.client() as client:
        before = counts(daemon)
        client.send(*[NOTHING] * 64)
        check(all(reply["success"] for reply in client.replies(64)), "expected 64 runs that succeeded")
        syncs = counts(daemon)[2] - before[2]
        check(1 <= syncs < 32, f"expected few syncs for 64 runs, got {syncs}")


@test
def a_transfer_of_the_wallet_waits_before_each_of_its_three_steps_and_before_the_reply():
    module = example("wallet").build()
    with Daemon(module=module, env={"WALLET_DB": scratch() / "wallet.sqlite",
                                    "LD_LIBRARY_PATH": LIBRARY}) as daemon, daemon.client() as client:
        for account in ("alice", "bob"):
            client.ask({"program": "open_account", "data_pool": {"account": account}})
        client.ask({"program": "deposit", "data_pool": {"account": "alice", "amount": 100}})
        transfer = {"program": "transfer", "data_pool": {"from": "alice", "to": "bob", "amount": 5}}
        equal(costs(daemon, client, transfer), (8, 3, 1), "records, syncs of the worker and of the daemon")


def small_module():
    """Programs of one or two steps: plain, one that can be undone, an irreversible one, one that notes; and the first with
    durability process."""
    bodies = {"plain": "(void)run;", "undone": "(void)run;", "undo": "(void)run;", "final": "(void)run;",
              "noting": 'if (ryuso_note(run, "a", "b", 1) < 0)\n\t\treturn ryuso_unknown(run, "NoNote", "no room");'}
    hooks = {name: {"reference": f"steps.all.{name}", "outputs": {}} for name in bodies}
    hooks["undone"]["rectifiers"] = ["hooks.undo"]
    hooks["final"]["irreversible"] = True
    programs = {name: {"hooks": [f"hooks.{name}"]} for name in ("plain", "undone", "final", "noting")}
    programs["fast"] = {"hooks": ["hooks.undone", "hooks.noting"], "durability": "process"}
    project = Project(spec(hooks, programs))
    project.generate()
    source = "".join(HOOK.format(name=name, body=body) for name, body in bodies.items())
    (project / "hooks" / "steps" / "all.c").write_text('#include "gen/sample.h"\n' + source)
    return project.build()


@test
def what_must_not_be_forgotten_is_synced_before_it_happens_and_nothing_else():
    expected = {"plain": (4, 0, 1), "undone": (4, 1, 1), "final": (4, 1, 1), "noting": (5, 1, 1), "fast": (7, 0, 0)}
    with Daemon(module=small_module(), env={"LD_LIBRARY_PATH": LIBRARY}) as daemon, daemon.client() as client:
        for program, counted in expected.items():
            equal(costs(daemon, client, {"program": program}), counted, f"{program}: records, syncs")


main()
