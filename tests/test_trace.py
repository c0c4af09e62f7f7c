# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is logged of runs, hooks and what they print; and what never is."""

import pathlib

from busy import Log, busy, error
from tap import check, contains, equal, main, test

NOTHING = {"program": "nothing"}


@test
def secrets_are_not_logged_and_client_text_cannot_forge_a_line():
    with busy() as daemon, daemon.client() as client:
        secret = "s3cr3t-word"
        metadata = {"ticket": "T-7\n<2>forged \x1b[31mred", "long": "y" * 5000}
        reply = client.ask({"program": "whisper", "data_pool": {"word": secret}, "metadata": metadata})
        check(reply["success"], "the run")
        error(client.ask({"program": f"no\n<2>forged {secret}"}))
        daemon.wait_log("whisper: succeeded")
        log = daemon.log()
        check(secret not in log, "the secret is in the log")
        check(not any(line.startswith("<2>forged") for line in log.splitlines()), f"a forged line: {log}")
        check("\x1b" not in log, f"a terminal's sequence: {log}")
        contains(log, "T-7", "metadata is logged")
        check("y" * 1100 not in log, "long metadata is cut")
    check(secret.encode() not in b"".join(path.read_bytes() for path in pathlib.Path(daemon.state).iterdir()),
          "the secret is in the state directory after the end")


@test
def what_hooks_print_is_logged_with_their_run():
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "print", "data_pool": {"text": "hello there"}})
        daemon.wait_log("logged: hello there")
        lines = [line for line in daemon.log().splitlines() if "hello there" in line]
        equal(len(lines), 2, f"lines: {lines}")
        for line in lines:
            contains(line, f"RYUSO_RUN={reply['run']}", "the line")
            contains(line, "RYUSO_HOOK=print", "the line")


@test
def how_much_is_traced_is_a_setting():
    expected = {
        "hooks": {"nothing: begun", "nothing: step", "nothing: succeeded", "harm: step 1", "harm: step 2",
                  "harm: rectified"},
        "runs": {"nothing: begun", "nothing: succeeded", "harm: step 2", "harm: rectified", "rectifier undo: ok"},
        "failures": {"harm: step 2", "harm: rectified", "rectifier undo: ok"},
    }
    everything = set().union(*expected.values())
    for level, lines in expected.items():
        with busy({"Trace": level}) as daemon, daemon.client() as client:
            client.ask(NOTHING)
            client.ask({"program": "harm", "data_pool": {"log": str(Log()), "how": "fail"}})
        log = daemon.log()
        if level != "hooks":
            lines = lines - {"harm: step 1"}
            log = "\n".join(line for line in log.splitlines() if "rectifier" not in line or "undo: ok" in line)
            log = log.replace("harm: step 1 of 3, rectifier", "harm: reversal, rectifier")
        found = {line for line in everything if line in log}
        equal(found - {"rectifier undo: ok"}, lines - {"rectifier undo: ok"}, f"lines with Trace={level}")
        contains(log, "rectifier undo: ok", f"Trace={level}")


main()
