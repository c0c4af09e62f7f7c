#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings of what is kept of ended runs, and of what a run may write."""

from project import LIBRARY, Project, spec
from reloading import Service
from shop import result
from tap import Daemon, check, equal, main, test, wait_for

HOOKS = """
#include <string.h>
#include "gen/sample.h"

/* how many bytes can be noted, or written, of 1 KiB each, up to 40 KiB */
ryuso_status act_note(ryuso_run *run, const struct act_note_args *args)
{
	char data[1024];
	int64_t n = 0;

	(void)args;
	memset(data, 'x', sizeof(data));
	while (n < 40 && ryuso_note(run, "k", data, sizeof(data)) == 0)
		n++;
	return ryuso_set_int(run, "count", n) < 0 ? ryuso_fail(run, "NoRoom", "no count") : RYUSO_OK;
}

ryuso_status act_fail(ryuso_run *run, const struct act_fail_args *args)
{
	(void)args;
	return ryuso_fail(run, "Always", "as it should");
}

ryuso_status act_write(ryuso_run *run, const struct act_write_args *args)
{
	char name[8], data[1025];
	int64_t n = 0;

	(void)args;
	memset(data, 'x', sizeof(data) - 1);
	data[sizeof(data) - 1] = 0;
	while (n < 40) {
		name[0] = 'k';
		name[1] = (char)('a' + n / 20);
		name[2] = (char)('a' + n % 20);
		name[3] = 0;
		if (ryuso_set_string(run, name, data) < 0)
			break;
		n++;
	}
	return ryuso_set_int(run, "count", n) < 0 ? ryuso_fail(run, "NoRoom", "no count") : RYUSO_OK;
}
"""
COUNT = {"count": {"type": "int", "required": False}}
_module = []


def counter(**settings):
    """A daemon whose programs tell how many KiB may be written."""
    if not _module:
        project = Project(spec({"note": "act.note", "write": "act.write", "fail": "act.fail",
                                "undone": {"reference": "act.note", "rectifiers": ["hooks.write"]}},
                               {"notes": {"hooks": ["hooks.note"], "outputs": COUNT},
                                "back": {"hooks": ["hooks.undone", "hooks.fail"], "outputs": COUNT}}))
        (project / "hooks").mkdir()
        (project / "hooks" / "act.c").write_text(HOOKS)
        project.generate()
        _module.append(project.build())
    return Daemon(module=_module[0], settings=settings, env={"LD_LIBRARY_PATH": str(LIBRARY)})


def counted(program, status, **settings):
    with counter(**settings) as daemon, daemon.client() as client:
        wait_for(lambda: result(client, "status")["state"] == "running", "the module")
        reply = client.ask({"program": program})
        equal(reply["status"], status, program)
        return reply["data_pool"].get("count", 0)


@test
def how_much_may_be_noted_is_a_setting():
    small, large = counted("notes", "succeeded", MaxNotesSize="4K"), counted("notes", "succeeded", MaxNotesSize="32K")
    check(2 <= small <= 4 and 28 <= large <= 32, f"expected about 4 and 32 KiB of notes, got {small} and {large}")


@test
def how_much_rectifiers_may_write_is_a_setting():
    small = counted("back", "rectified", MaxRectifiedSize="5K")
    large = counted("back", "rectified", MaxRectifiedSize="33K")
    check(2 <= small <= 5 and 28 <= large <= 33, f"expected about 5 and 33 KiB, got {small} and {large}")


# ---- what is kept ----

def listed(client):
    return len(result(client, "runs", status="succeeded")["runs"])


def forgotten(service, client, count, what):
    """Reloads look at once for what is to be forgotten: until so many runs are listed."""
    def look():
        result(client, "reload")
        return listed(client) == count
    wait_for(look, f"{count} runs to be left, {what}; {listed(client)} are")


@test
def how_many_ended_runs_are_kept_is_a_setting():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        for _ in range(6):
            client.ask(service.order())
        forgotten(service, client, 6, "by default")
        service.configure(KeepRuns=2)
        forgotten(service, client, 2, "with KeepRuns=2")


@test
def how_long_ended_runs_are_kept_is_a_setting():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        client.ask(service.order())
        forgotten(service, client, 1, "by default")
        service.configure(KeepRunsTime="1s")
        forgotten(service, client, 0, "with KeepRunsTime=1s")


def asked(service, client, request_id):
    """The run that a request id stands for."""
    return client.ask(service.order(request_id=request_id))["run"]


@test
def how_many_replies_are_kept_is_a_setting():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        first, second = asked(service, client, "first"), asked(service, client, "second")
        result(client, "reload")
        equal(asked(service, client, "first"), first, "by default")
        service.configure(KeepReplies=1)

        def is_free():
            result(client, "reload")
            return result(client, "show", run=first).get("request_id") is None
        wait_for(is_free, "the first request id to be free")
        equal(asked(service, client, "second"), second, "the one reply that is kept")
        check(asked(service, client, "first") != first, "expected another run under the first request id")


@test
def how_long_replies_are_kept_is_a_setting():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        first = asked(service, client, "first")
        equal(asked(service, client, "first"), first, "by default")
        service.configure(KeepRepliesTime="1s")

        def is_free():
            result(client, "reload")
            return result(client, "show", run=first).get("request_id") is None
        wait_for(is_free, "the request id to be free")
        check(asked(service, client, "first") != first, "expected another run under the request id")


main()
