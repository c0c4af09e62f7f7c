# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every setting at its edges, and what is no setting."""

from busy import module
from tap import Daemon, contains, equal, main, program, run, scratch, test


EDGES = [
    # setting, least, most, one less, one more, not of its kind
    ("MaxRequestSize", "1K", "64M", "1023", "67108865", "much"),
    ("MaxDepth", "2", "512", "1", "513", "deep"),
    ("MaxConnections", "1", "65536", "0", "65537", "-1"),
    ("MaxConnectionsPerUser", "1", "65536", "0", "65537", "1.5"),
    ("QueueLength", "1", "1000000", "0", "1000001", "infinity"),
    ("MaxQueuedPerUser", "1", "1000000", "0", "1000001", "all"),
    ("MaxBytesPerUser", "1M", "1024G", "1023K", "1025G", "plenty"),
    ("MaxUnreadReplies", "64K", "1G", "63K", "1025M", "some"),
    ("RequestTimeout", "1ms", "1d", "999us", "86401s", "soon"),
    ("ReplyTimeout", "1ms", "24h", "0", "25h", "5 parsecs"),
    ("RunsPerWorker", "0", "4294967295", "-1", "4294967296", "many"),
    ("ModuleTimeout", "1ms", "1d", "0", "2d", "1e3"),
    ("StopTimeout", "1ms", "1d", "0", "2d", "infinity"),
    ("StopTimeoutRectifying", "1ms", "1d", "0", "2d", "never"),
    ("IdleExit", "100ms", "36500d", "99ms", "36501d", "idle"),
    ("WorkerMemory", "16M", "1024G", "15M", "1025G", "lots"),
    ("RecorderSize", "64K", "1G", "63K", "2G", "8Q"),
    ("MaxPoolSize", "1K", "64M", "1023", "65M", "K"),
    ("MaxNotesSize", "1K", "64M", "1", "65M", "x"),
    ("MaxRectifiedSize", "1K", "64M", "1", "65M", "1 000"),
    ("OnParked", "continue", "hold", "Hold", "stop", "-"),
    ("KeepRuns", "0", "100000000", "-1", "100000001", "all"),
    ("KeepRunsTime", "0", "36500d", "999ms", "36501d", "ever"),
    ("KeepReplies", "1", "100000000", "-1", "100000001", "1K"),
    ("KeepRepliesTime", "1s", "36500d", "1ms", "36501d", "always"),
    ("Trace", "hooks", "failures", "Hooks", "none", "2"),
]


def complaints(settings):
    """What a daemon says about a file of settings."""
    directory = scratch()
    config = directory / "conf"
    config.write_text(settings)
    daemon = Daemon(["--config", config], module=module(), directory=directory)
    daemon.stop()
    return [line for line in daemon.log().splitlines() if "conf:" in line]


@test
def every_setting_is_taken_at_its_edges():
    for column in (1, 2):
        # together the largest numbers are of no use; they are only read here
        text = "[Daemon]\n" + "".join(f"{row[0]}={row[column]}\n" for row in EDGES if row[0] != "RecorderSize")
        equal(complaints(text), [], "complaints")


@test
def every_setting_is_refused_beyond_its_edges_and_its_default_stays():
    for column in (3, 4, 5):
        found = complaints("[Daemon]\n" + "".join(f"{row[0]}={row[column]}\n" for row in EDGES))
        equal(len(found), len(EDGES), f"the number of complaints about {[row[column] for row in EDGES]}: {found}")
        for row, line in zip(EDGES, found):
            contains(line, f": {row[0]}: expected", "the complaint")
            contains(line, "; it is ignored", "the complaint")


@test
def what_is_no_setting_is_reported_and_ignored():
    found = complaints("[Daemon]\nMaxConnection=3\n[Other]\nTrace=runs\n")
    contains(found[0], "conf:2: MaxConnection: expected a setting of ryuso.conf(5) (did you mean MaxConnections?)", "the first")
    contains(found[1], "conf:4: Trace: expected it in section [Daemon]; got section [Other]", "the second")


@test
def a_file_of_settings_that_is_asked_for_must_be_there():
    done = run(program("ryusod"), "--config", "/nonexistent/conf", "--socket", scratch() / "s", status=1)
    contains(done.stderr, "/nonexistent/conf", "what it says")


main()
