#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may run what: users and groups of a program's `allow`, by name and by number, by the kernel's word on the peer. A
program that a user may not run does not exist for that user, and neither do others' runs."""

import grp
import json
import os
import pwd

from accounts import Accounts
from shop import As, Shop, build, call, result
from tap import check, contains, equal, main, run, program, skip, test, wait_for

USER, OTHER, GROUP = 54321, 54322, 54399  # nobody's
NAMED, NAMED_GROUP = "nobody", "daemon"


def closed(spec):
    """Programs for a user and for a group, by name and by number; `order` and `glance` stay for all."""
    tree = json.loads(spec)
    glance = tree["programs"]["glance"]
    for name, allow in {"by-name": {"users": [NAMED]}, "by-number": {"users": [USER]},
                        "by-digits": {"users": [str(USER)]}, "by-group": {"groups": [NAMED_GROUP]},
                        "by-gid": {"groups": [GROUP]}, "by-gid-digits": {"groups": [str(GROUP)]},
                        "for-nobody": {}, "for-unknown": {"users": ["ryuso-no-such-user"]},
                        "for-both": {"users": [OTHER], "groups": [GROUP]}}.items():
        tree["programs"][name] = {**glance, "allow": allow}
    return json.dumps(tree)


OPEN = {"order", "launch", "glance"}


class Open(Shop):
    """With one daemon, to which everybody can connect."""

    def __enter__(self):
        if os.geteuid() != 0:
            skip("only root can be another user")
        self.one = self.daemon(build("closed", closed))
        os.chmod(self.directory, 0o755)
        os.chmod(self.one.socket, 0o666)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.one.stop()

    def client(self):
        return self.one.client()

    def user(self, uid=USER, gid=None, groups=()):
        return As(self.one.socket, uid, gid, groups)


def listed(client):
    return {entry["name"] for entry in result(client, "list")["programs"]}


@test
def users_and_groups_are_admitted_by_name_and_by_number():
    uid, gid = pwd.getpwnam(NAMED).pw_uid, grp.getgrnam(NAMED_GROUP).gr_gid
    cases = [
        ((USER,), {"by-number", "by-digits"}),
        ((OTHER,), {"for-both"}),
        ((uid, USER), {"by-name"}),
        ((OTHER + 1, GROUP), {"by-gid", "by-gid-digits", "for-both"}),
        ((OTHER + 1, OTHER + 1, [7, GROUP]), {"by-gid", "by-gid-digits", "for-both"}),
        ((OTHER + 1, gid), {"by-group"}),
        ((OTHER + 1, OTHER + 1, [gid, 7]), {"by-group"}),
        ((OTHER + 1, OTHER + 1, [*range(100, 400), GROUP]), {"by-gid", "by-gid-digits", "for-both"}),
        ((OTHER + 1, USER, [USER]), set()),  # a group of a user's number
        ((GROUP, OTHER + 1), set()),         # and a user of a group's
        ((0, 0, []), set()),                 # root is a user like any other
    ]
    with Open() as shop:
        shop.one.wait_log('there is no user "ryuso-no-such-user"')
        for who, admitted in cases:
            with shop.user(*who) as client:
                equal(listed(client), OPEN | admitted, f"what {who} is shown")
                for name in ("by-name", "by-number", "by-digits", "by-group", "by-gid", "by-gid-digits", "for-nobody",
                             "for-unknown", "for-both"):
                    reply = client.ask(shop.order(name))
                    equal(reply["status"], "succeeded" if name in admitted else "refused", f"{name} for {who}")
                    if name not in admitted:
                        equal(reply["error"]["name"], "UnknownProgram", f"{name} for {who}")


def same(client, message, name, other):
    """The answer about `name`, byte for byte that about `other`, of the same length, but for the name itself."""
    text = json.dumps(message)
    check(len(name) == len(other), "names of one length")
    client.send(text.replace("NAME", name), text.replace("NAME", other))
    first, second = client.line(), client.line()
    equal(first.replace(name.encode(), b"NAME"), second.replace(other.encode(), b"NAME"), f"the answers to {text}")
    return json.loads(first)


@test
def a_program_that_a_user_may_not_run_is_answered_like_none_byte_for_byte():
    pool = {"dir": 5}  # of the wrong type: looked at later than the name
    messages = [{"program": "NAME"}, {"program": "NAME", "data_pool": pool}, {"program": "NAME", "wait": False},
                {"program": "NAME", "request_id": "r-1"}, {"program": "NAME", "request_id": "r-1", "wait": False},
                {"program": "NAME", "follow": True, "id": 7}, {"program": "NAME", "start_within": 1},
                {"program": "NAME", "metadata": {"a": 1}},
                {"call": "describe", "parameters": {"program": "NAME"}},
                {"call": "runs", "parameters": {"program": "NAME"}}]
    with Open() as shop, shop.user(OTHER + 1) as client:
        for message in messages:
            for name in ("by-number", "for-nobody", "by-group"):
                same(client, message, name, "q" * len(name))
        # a request id that stands for something is no way to tell either
        equal(client.ask(shop.order("glance", request_id="used"))["status"], "succeeded", "the run")
        answer = same(client, {"program": "NAME", "request_id": "used"}, "by-number", "no-number")
        equal(answer["error"]["name"], "RequestIdReused", "the same id with another program")


@test
def another_users_request_ids_and_runs_are_nobodys():
    with Open() as shop, shop.user() as client, shop.user(OTHER) as other, shop.client() as root:
        own = client.ask(shop.order("by-number", request_id="mine"))
        equal(own["status"], "succeeded", "the run")
        for again in (other, root):
            equal(again.ask(shop.order("by-number", request_id="mine"))["error"]["name"], "UnknownProgram",
                  "another user's request of the same id")
        mine = other.ask(shop.order("glance", request_id="mine"))
        check(mine["status"] == "succeeded" and mine["run"] != own["run"], f"the same id for another: {mine}")
        equal([one["run"] for one in result(other, "runs")["runs"]], [mine["run"]], "the runs that another sees")
        equal([one["run"] for one in result(other, "runs", program="by-number")["runs"]], [], "of a program")
        for name in ("show", "wait", "watch", "cancel"):
            same(other, {"call": name, "parameters": {"run": "NAME"}}, own["run"], "f" * 32)
        equal(client.ask(shop.order("by-number", request_id="mine")), own, "the own one again")
        equal(result(root, "show", run=own["run"])["peer_uid"], USER, "what an operator sees")


@test
def users_see_wait_for_watch_and_cancel_their_own_runs():
    with Open() as shop, shop.user() as client, shop.user() as again, shop.user(OTHER) as other:
        shop.let("ship", "wait")
        client.send(shop.order("by-number"))
        found = wait_for(lambda: result(again, "runs", status="running")["runs"], "the run")
        run_id = found[0]["run"]
        equal(result(other, "runs")["runs"], [], "what another sees")
        equal(result(again, "show", run=run_id)["status"], "running", "what is shown")
        again.send({"call": "watch", "parameters": {"run": run_id}})
        equal(again.reply()["event"], "state", "the first event")
        with shop.user() as third:
            queued = third.ask(shop.order("order", wait=False))["run"]
            same(other, {"call": "cancel", "parameters": {"run": "NAME"}}, queued, "f" * 32)
            equal(result(third, "cancel", run=queued), {"run": queued, "begun": False}, "the cancel of one that waits")
        shop.let("ship", None)
        equal(client.reply()["status"], "succeeded", "the run")
        while "event" in (line := again.reply()):
            pass
        equal(line["result"]["run"], run_id, "the end of the watch")


@test
def the_status_tells_nothing_of_programs_and_runs_of_others():
    with Open() as shop, shop.user() as client, shop.user() as again, shop.user(OTHER) as other, shop.client() as root:
        shop.let("ship", "wait")
        client.send(shop.order("by-number"))
        run_id = wait_for(lambda: result(again, "runs", status="running")["runs"], "the run")[0]["run"]
        for who in (again, root):
            equal(result(who, "status")["running"]["run"], run_id, "what its user, and root, are told")
        found = result(other, "status")
        equal(set(found["running"]), {"since_usec"}, "what another is told")
        equal(found["module"]["programs"], len(OPEN) + 1, "how many programs there are for another")
        done = run("setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", program("ryusoctl"), "--socket",
                   shop.one.socket, "status")
        contains(done.stdout, "Running: another user's run, for ", "what ryusoctl says")
        check("by-number" not in str(found) + done.stdout, "no name is told")
        shop.let("ship", None)
        equal(client.reply()["status"], "succeeded", "the run")


def moving(spec):
    tree = json.loads(spec)
    tree["programs"]["order"]["allow"] = {"users": ["clerk"]}
    tree["programs"]["launch"]["allow"] = {"groups": ["clerks"]}
    return json.dumps(tree)


@test
def names_are_looked_up_anew_at_a_reload():
    if os.geteuid() != 0:
        skip("only root can be another user")
    shop = Shop()
    with Accounts(users={"clerk": USER}) as accounts:
        daemon = shop.daemon(build("moving", moving))
    os.chmod(shop.directory, 0o755)
    os.chmod(daemon.socket, 0o666)
    daemon.wait_log('there is no group "clerks"')
    with As(daemon.socket, USER) as clerk, As(daemon.socket, OTHER, GROUP) as other, daemon.client() as root:
        equal((listed(clerk), listed(other)), ({"glance", "order"}, {"glance"}), "what each is shown at first")
        equal(call(other, "parked")["error"]["name"], "NotAllowed", "an operator's call")
        accounts.write({"clerk": OTHER}, {"clerks": GROUP, "ryuso-admin": GROUP})
        equal(listed(clerk), {"glance", "order"}, "before the reload")
        result(root, "reload")
        equal((listed(clerk), listed(other)), ({"glance"}, {"glance", "order", "launch"}), "what each is shown then")
        equal(clerk.ask(shop.order("order"))["error"]["name"], "UnknownProgram", "what is not the clerk's any more")
        equal(result(other, "parked"), {"runs": []}, "an operator's call")
        accounts.write()
        result(other, "reload")
        daemon.wait_log('there is no user "clerk"')
        equal((listed(clerk), listed(other)), ({"glance"}, {"glance"}), "where nobody has the names")
        equal(call(other, "parked")["error"]["name"], "NotAllowed", "where the group is gone")
    daemon.stop()


@test
def ryusoctl_suggests_nothing_that_a_user_may_not_run():
    with Open() as shop:
        for uid, suggests in ((USER, True), (OTHER + 1, False)):
            done = run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", program("ryusoctl"), "--socket",
                       shop.one.socket, "run", "by-numbre", status=None)
            check(done.returncode != 0, f"user {uid}: {done.stdout}")
            equal("by-number" in done.stdout + done.stderr, suggests, f"the suggestion for {uid}: {done.stderr}")


main()
