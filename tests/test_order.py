# SPDX-License-Identifier: LGPL-2.1-or-later
"""What begins when, what is answered when, and what may wait."""

import os

from busy import Gate, Log, busy, error, outcome, say, status
from shop import As
from tap import check, contains, equal, main, scratch, test, wait_for

NOTHING = {"program": "nothing"}


def open_to_all(daemon):
    daemon.socket.chmod(0o666)
    daemon.socket.parent.chmod(0o711)


# ---- order ----

@test
def answers_of_one_connection_come_in_the_order_of_its_requests():
    with busy() as daemon, daemon.client() as client:
        gate = Gate(client, id=1)
        client.send({"program": "no-such", "id": 2}, {"call": "ping", "id": 3}, {**NOTHING, "id": 4})
        gate.open()
        found = [(reply["id"], error(reply) if "error" in reply else None) for reply in client.replies(4)]
        equal(found, [(1, None), (2, "UnknownProgram"), (3, None), (4, None)], "ids and errors")


@test
def a_request_is_refused_at_once_while_anothers_run_is_in_progress():
    with busy() as daemon, daemon.client() as first, daemon.client() as second:
        gate = Gate(first)
        equal(error(second.ask({"program": "no-such"})), "UnknownProgram", "the refusal")
        equal(error(second.ask({"program": "say", "data_pool": {}})), "MissingArgument", "the refusal")
        check("result" in second.ask({"call": "ping"}), "a call is answered, too")
        check("gate" in gate.log.lines() and str(gate.file) not in gate.log.lines(), "the run has not ended yet")
        gate.open()
        equal(outcome(first.reply()), ("succeeded", None), "the run")


@test
def runs_begin_in_the_order_in_which_their_requests_came():
    log = Log()
    with busy() as daemon, daemon.client() as holder:
        gate = Gate(holder)
        clients = [daemon.client() for _ in range(40)]
        for number, client in enumerate(clients):
            client.send(say(log, str(number)))
            wait_for(lambda: status(daemon)["queued"] > number, f"request {number} to be queued")
        gate.open()
        for client in clients:
            equal(outcome(client.reply()), ("succeeded", None), "a run")
            client.close()
        equal(log.lines(), [str(number) for number in range(40)], "the order of the runs")
        holder.reply()


@test
def users_take_turns_and_each_ones_runs_begin_in_order():
    log = Log()
    log.path.touch(mode=0o666)
    with busy() as daemon, daemon.client() as holder, daemon.client() as many:
        open_to_all(daemon)
        gate = Gate(holder)
        many.send(*[say(log, f"many {number}") for number in range(80)])
        wait_for(lambda: status(daemon)["queued"] == 80, "the many to be queued")
        with As(daemon.socket, 4711) as few:
            few.send(*[say(log, f"few {number}") for number in range(3)])
            wait_for(lambda: status(daemon)["queued"] == 83, "the few to be queued")
            gate.open()
            equal([outcome(reply) for reply in few.replies(3)], [("succeeded", None)] * 3, "the few")
        equal([outcome(reply) for reply in many.replies(80)], [("succeeded", None)] * 80, "the many")
        holder.reply()
        lines = log.lines()
        equal([line for line in lines if line.startswith("many")], [f"many {number}" for number in range(80)],
              "the order of the many")
        places = [lines.index(f"few {number}") for number in range(3)]
        ahead = places[0]  # what was with the worker already
        check(ahead < 80 - 3, f"the first of the few came at last, at {places[0]}")
        equal(places, [ahead, ahead + 2, ahead + 4], "then it was one of the few, one of the many")


@test
def a_user_does_not_wait_for_runs_of_another_that_a_worker_has_and_has_not_begun():
    log = Log()
    log.path.touch()
    log.path.chmod(0o666)
    slow = {"program": "hurry", "data_pool": {"log": str(log), "usec": 30000}}
    with busy() as daemon, daemon.client() as many:
        open_to_all(daemon)
        many.send(*[slow] * 60)
        log.wait("before")
        with As(daemon.socket, 4711) as few:
            check(few.ask(say(log, "few"))["success"], "the other user's run")
        ahead = log.lines().index("few")
        for _ in range(60):
            check(many.reply()["status"] in ("succeeded", "rectified"), "one of the many")
        check(ahead < 60, f"{ahead} lines of 120 came before the other's")


@test
def what_is_finished_is_answered_though_the_next_run_goes_on():
    log = Log()
    with busy() as daemon, daemon.client() as holder, daemon.client() as quick, daemon.client() as slow:
        first = Gate(holder)
        quick.send(say(log, "quick"))
        wait_for(lambda: status(daemon)["queued"] == 1, "the quick run to be queued")
        file = scratch() / "never"
        slow.send({"program": "gate", "data_pool": {"log": str(log), "word": "slow", "file": str(file)}})
        wait_for(lambda: status(daemon)["queued"] == 2, "the slow run to be queued")
        first.open()
        equal(outcome(quick.reply()), ("succeeded", None), "the quick run")
        check(str(file) not in log.lines(), "the slow run has not ended")
        file.touch()
        equal(outcome(slow.reply()), ("succeeded", None), "the slow run")
        holder.reply()


@test
def a_run_goes_on_when_its_client_is_gone():
    log = Log()
    with busy() as daemon:
        with daemon.client() as client:
            gate = Gate(client, log=log)
        wait_for(lambda: status(daemon)["connections"] == 1, "the client to be gone")
        gate.open()
        log.wait(str(gate.file))
        wait_for(lambda: status(daemon)["runs"]["succeeded"] == 1, "the run's end")


@test
def a_request_counts_though_its_client_closes_at_once():
    log = Log()
    with busy() as daemon:
        with daemon.client() as client:
            client.send(say(log, "heard"))
        log.wait("heard")


@test
def events_of_a_followed_run_come_before_its_reply():
    with busy() as daemon, daemon.client() as client:
        client.send({"program": "harm", "id": "x", "follow": True, "data_pool": {"log": str(Log()), "how": "fail"}})
        found = [client.reply() for _ in range(5)]
        equal([(line.get("event"), line.get("step"), line.get("hook"), line.get("outcome")) for line in found],
              [("begun", None, None, None), ("hook", 1, "before", "ok"), ("hook", 2, "harm", "failed"),
               ("rectifier", 1, "undo", "ok"), (None, None, None, None)], "events")
        equal({line["id"] for line in found}, {"x"}, "the id of every line")
        equal(outcome(found[-1]), ("rectified", "HookFailed"), "the reply")
        check(all(line["usec"] >= 0 for line in found[1:4]), "an attempt's time")


# ---- what waits ----

@test
def beyond_the_queues_length_a_request_is_refused():
    log = Log()
    with busy({"QueueLength": 2}) as daemon, daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder)
        client.send(say(log, "1", id=1), say(log, "2", id=2), say(log, "3", id=3))
        wait_for(lambda: status(daemon)["runs"]["refused"] == 1, "a refusal")
        gate.open()
        equal([outcome(reply) for reply in client.replies(3)],
              [("succeeded", None), ("succeeded", None), ("refused", "QueueFull")], "the answers")
        check(client.ask(say(log, "4"))["success"], "there is room again")
        equal(log.lines(), ["1", "2", "4"], "what ran")


@test
def beyond_what_one_user_may_have_waiting_only_that_user_is_refused():
    log = Log()
    log.path.touch()
    log.path.chmod(0o666)
    with busy({"MaxQueuedPerUser": 2}) as daemon, daemon.client() as holder, daemon.client() as client:
        open_to_all(daemon)
        with As(daemon.socket, 4711) as other:
            gate = Gate(other)
            client.send(say(log, "1"), say(log, "2"), say(log, "3", id=3))
            wait_for(lambda: status(daemon)["runs"]["refused"] == 1, "a refusal")
            holder.send(say(log, "4"))
            other.send(say(log, "5"))
            wait_for(lambda: status(daemon)["queued"] == 3, "the other's to be queued")
            gate.open()
            found = client.replies(3)
            equal([outcome(reply) for reply in found], [("succeeded", None)] * 2 + [("refused", "QueueFull")],
                  "the answers")
            contains(found[2]["error"]["message"], "2 runs of user 0 are waiting already (MaxQueuedPerUser=)",
                     "the message")
            check(found[2]["error"]["retry"], "retry")
            equal([outcome(reply) for reply in (holder.reply(), *other.replies(2))],
                  [("refused", "QueueFull")] + [("succeeded", None)] * 2, "another connection, and the other user")


@test
def a_request_that_has_not_begun_in_its_time_is_refused():
    log = Log()
    with busy() as daemon, daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder)
        reply = client.ask(say(log, "late", start_within=0.05))
        equal(outcome(reply), ("refused", "NotStarted"), "the answer, while the other run is in progress")
        check(reply["error"]["retry"], "retry")
        gate.open()
        check(client.ask(say(log, "in time", start_within=60))["success"], "one that begins in time")
        equal(log.lines(), ["in time"], "what ran")


@test
def more_runs_than_a_recorder_holds_are_carried_through_new_ones():
    settings = {"RecorderSize": "128K", "MaxPoolSize": "4K", "MaxNotesSize": "1K", "MaxRectifiedSize": "1K"}
    log = Log()
    with busy(settings) as daemon, daemon.client() as client:
        client.send(*[NOTHING] * 1000)
        equal([outcome(reply) for reply in client.replies(1000)], [("succeeded", None)] * 1000, "the runs")
        reply = client.ask({"program": "patience", "data_pool": {"log": str(log)}})
        equal(outcome(reply), ("rectified", "HookFailed"), "a run whose own records are too many for one file")
        equal([line.split()[0] for line in log.lines()], ["before", "undo"], "what ran")
        client.send(*[NOTHING] * 1000)
        equal([outcome(reply) for reply in client.replies(1000)], [("succeeded", None)] * 1000, "the runs after it")
        equal({name for name in os.listdir(daemon.state) if name.startswith("recorder")}, {"recorder", "recorder.new"},
              "the recorders")
    equal({name for name in os.listdir(daemon.state) if name.startswith("recorder")}, set(), "recorders after the end")


main()
