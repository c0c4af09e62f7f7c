# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of connections: those who are too many, too slow, or deaf cost others nothing."""

import json
import os
import resource
import select
import signal

from busy import Gate, Log, busy, outcome, say, status
from shop import As
from tap import check, contains, equal, main, test, wait_for

NOTHING = {"program": "nothing"}
ECHO = {"program": "echo", "data_pool": {"text": "hélló \u2028 \"quoted\" \x7f"}}


@test
def one_connection_too_many_is_turned_away_with_a_reason():
    for setting in ("MaxConnections", "MaxConnectionsPerUser"):
        with busy({setting: 3}) as daemon:
            # the connections by which the test found the daemon ready may not be gone yet
            wait_for(lambda: status(daemon)["connections"] == 1, "the earlier connections to be gone")
            clients = []
            for _ in range(3):
                clients.append(daemon.client())
                check(clients[-1].ask(NOTHING)["success"], "one of three")
            with daemon.client() as surplus:
                reply = surplus.reply()
                equal(outcome(reply), ("refused", "TooManyConnections"), "the fourth")
                contains(reply["error"]["message"], f"{setting}=", "the message")
                equal(surplus.reply(), None, "then the end")
            clients.pop().close()
            wait_for(lambda: serves(daemon), "room for another")
            for client in clients:
                check(client.ask(NOTHING)["success"], "those who were there first")


def serves(daemon):
    with daemon.client() as client:
        try:
            client.send(NOTHING)
        except BrokenPipeError:
            pass
        return client.reply()["success"]


@test
def a_client_that_never_reads_costs_others_nothing_and_is_closed():
    with busy({"ReplyTimeout": "300ms"}) as daemon, daemon.client() as deaf, daemon.client() as other:
        text = "x" * 50000
        deaf.socket.setblocking(False)
        request = json.dumps({"program": "echo", "data_pool": {"text": text}}).encode()
        refused = 0  # in a row: the daemon reads no more
        while refused < 100:
            try:
                deaf.socket.send(request)
                refused = 0
            except BlockingIOError:
                refused += 1
            except BrokenPipeError:
                break  # it is closed already
            check(other.ask(NOTHING)["success"], "another client")
        daemon.wait_log("ReplyTimeout=")
        wait_for(lambda: status(daemon)["connections"] == 2, "the connection to be closed")
        check(other.ask(NOTHING)["success"], "another client, afterwards")


@test
def more_than_one_users_share_of_memory_is_refused_and_others_have_theirs():
    settings = {"MaxBytesPerUser": "1M", "MaxRequestSize": "256K"}
    with busy(settings) as daemon, daemon.client() as holder, daemon.client() as client:
        daemon.socket.chmod(0o666)
        daemon.socket.parent.chmod(0o711)
        gate = Gate(holder)
        client.send(*[{"program": "echo", "data_pool": {"text": "x" * 100000}}] * 30)
        wait_for(lambda: status(daemon)["runs"]["refused"] > 0, "a refusal")
        with As(daemon.socket, 4711) as other:
            other.send({"program": "echo", "data_pool": {"text": "y" * 100000}})
            wait_for(lambda: status(daemon)["connections"] == 4, "the other")
            gate.open()
            equal(outcome(other.reply()), ("succeeded", None), "the other")
        found = client.replies(30)
        refused = [reply for reply in found if outcome(reply) == ("refused", "QueueFull")]
        check(0 < len(refused) < 29, f"some are refused, not all: {len(refused)}")
        equal(len([reply for reply in found if outcome(reply) == ("succeeded", None)]), 30 - len(refused), "the rest")
        for part in ("runs take", "bytes of user 0's, at most 1048576 may be (MaxBytesPerUser=)"):
            contains(refused[0]["error"]["message"], part, "the message")
        check(refused[0]["error"]["retry"], "retry")
        equal(outcome(holder.reply()), ("succeeded", None), "the first")
        check(client.ask(NOTHING)["success"], "there is room again")


@test
def a_request_of_too_many_values_is_not_made_sense_of():
    few = b'{"metadata":{"a":[' + b"1," * 50000 + b'1],"b":"' + b"[,{" * 20000 + b'"},"program":"nothing"}'
    many = b'{"metadata":{"a":[' + b"[]," * 40000 + b'1]},"program":"nothing"}'
    with busy({"MaxValues": 70000}) as daemon, daemon.client() as client:
        equal(outcome(client.ask(few)), ("succeeded", None), "one with a long text")
        reply = client.ask(many)
        equal(outcome(reply), ("refused", "TooLarge"), "one with many values")
        contains(reply["error"]["message"], "at most 70000 values (MaxValues=), got 80005", "the message")
        equal(client.reply(), None, "then the end")


@test
def a_request_that_takes_more_memory_than_one_user_may_have_is_refused():
    with busy({"MaxBytesPerUser": "4M"}) as daemon, daemon.client() as client:
        reply = client.ask(b'{"metadata":{"a":[' + b"{}," * 20000 + b'1]},"program":"nothing"}')
        equal(outcome(reply), ("refused", "TooLarge"), "the answer")
        contains(reply["error"]["message"], "at most 4194304 may be (MaxBytesPerUser=)", "the message")
        check(client.ask(NOTHING)["success"], "the next one")


@test
def a_client_that_leaves_more_unread_than_may_wait_is_closed():
    with busy({"MaxUnreadReplies": "64K"}) as daemon, daemon.client() as deaf, daemon.client() as other:
        try:
            deaf.send(*[{"program": "echo", "data_pool": {"text": "x" * 40000}}] * 40)
        except BrokenPipeError:
            pass  # it is closed already
        daemon.wait_log("too much of its answers was not taken (MaxUnreadReplies=)")
        check(other.ask(NOTHING)["success"], "another client")


@test
def clients_that_vanish_leave_nothing_behind():
    with busy() as daemon:
        def descriptors():
            return len(os.listdir(f"/proc/{daemon.pid}/fd"))
        wait_for(lambda: status(daemon)["connections"] == 1 and status(daemon)["workers_started"] == 2, "quiet")
        before = descriptors()
        for round_ in range(200):
            client = daemon.client()
            client.send(*[[NOTHING, '{"program":"not', ECHO, '{"program":"nothing"}{"pro'][round_ % 4]] * (round_ % 3))
            client.close()
        wait_for(lambda: status(daemon)["connections"] == 1, "the connections to be gone")
        wait_for(lambda: descriptors() <= before, f"the descriptors to be {before} again")


@test
def descriptors_that_run_out_stop_accepting_only_for_a_while():
    with busy() as daemon:
        used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        wait_for(lambda: status(daemon)["workers_started"] == 2, "the spare")
        soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used + 8, hard))
        clients = [daemon.client() for _ in range(40)]
        daemon.wait_log("cannot accept connections")
        for client in clients[:20]:
            client.close()
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients[20:]:
            check(client.ask(NOTHING)["success"], "a connection that had to wait")
            client.close()


def limited(soft, hard):
    """A daemon that was given such a limit of descriptors."""
    return busy({"MaxConnectionsPerUser": 1000, "MaxConnections": 1000},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))


@test
def the_daemon_takes_all_the_descriptors_that_it_may_have_and_workers_get_what_it_was_given():
    with limited(128, 1024) as daemon:
        found = status(daemon)
        equal(resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE), (1024, 1024), "the daemon's limit")
        equal(resource.prlimit(found["worker_pid"], resource.RLIMIT_NOFILE), (128, 1024), "the worker's limit")


def is_idle(found):
    return found["queued"] == 0 and "running" not in found


@test
def without_descriptors_for_more_connections_the_daemon_goes_on_and_all_who_wait_are_served_at_last():
    log = Log()
    with limited(128, 128) as daemon:
        wait_for(lambda: status(daemon)["workers_started"] == 2, "the spare")
        clients = [daemon.client() for _ in range(200)]
        for client in clients:
            client.send(say(log, "x"))
        daemon.wait_log("cannot accept connections")
        served = clients[0]
        equal(outcome(served.reply()), ("succeeded", None), "the first")
        check(not select.select([clients[-1].socket], [], [], 0)[0], "the last one waits")
        wait_for(lambda: is_idle(served.ask({"call": "status"})["result"]), "all runs that are in to end")
        for _ in range(3):  # what it needs descriptors for itself
            os.kill(served.ask({"call": "status"})["result"]["worker_pid"], signal.SIGKILL)
            check(served.ask(NOTHING)["success"], "a run, in another worker")
        equal(served.ask({**NOTHING, "wait": False})["status"], "queued", "a submission, in the ledger")
        for client in clients[1:]:
            equal(outcome(client.reply()), ("succeeded", None), "each")
            client.close()
        check(served.ask(NOTHING)["success"], "the first, again")
        equal(daemon.log().count("cannot accept connections"), 1, "warnings")
        equal(len(log.lines()), 200, "runs")


main()
