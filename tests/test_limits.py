# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of connections: those who are too many, too slow, or deaf cost others nothing."""

import json
import os
import resource

from busy import busy, outcome, status
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
            check(other.ask(NOTHING)["success"], "another client")
        daemon.wait_log("ReplyTimeout=")
        wait_for(lambda: status(daemon)["connections"] == 2, "the connection to be closed")
        check(other.ask(NOTHING)["success"], "another client, afterwards")


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


main()
