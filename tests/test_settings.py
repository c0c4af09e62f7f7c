# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every setting at its edges, and what is no setting."""

import re

from busy import module
from tap import TOP_SOURCE, Daemon, check, contains, equal, main, program, run, scratch, test


EDGES = [
    # setting, least, most, one less, one more, not of its kind
    ("MaxRequestSize", "1K", "64M", "1023", "67108865", "much"),
    ("MaxDepth", "2", "512", "1", "513", "deep"),
    ("MaxValues", "16384", "16777216", "16383", "16777217", "few"),
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


# setting: where it is changed, and what comes of that is seen
EFFECTS = {
    "Module": ("test_reload_module", "another_module_altogether_is_taken_up_where_the_settings_name_it"),
    "Trace": ("test_trace", "how_much_is_traced_is_a_setting"),
    "MaxRequestSize": ("test_wire", "an_object_that_is_too_large_is_refused"),
    "MaxDepth": ("test_wire", "an_object_that_is_too_deep_is_refused"),
    "MaxValues": ("test_limits", "a_request_of_too_many_values_is_not_made_sense_of"),
    "MaxConnections": ("test_limits", "one_connection_too_many_is_turned_away_with_a_reason"),
    "MaxConnectionsPerUser": ("test_limits", "one_connection_too_many_is_turned_away_with_a_reason"),
    "QueueLength": ("test_order", "beyond_the_queues_length_a_request_is_refused"),
    "MaxQueuedPerUser": ("test_order", "beyond_what_one_user_may_have_waiting_only_that_user_is_refused"),
    "MaxBytesPerUser": ("test_limits", "more_than_one_users_share_of_memory_is_refused_and_others_have_theirs"),
    "MaxUnreadReplies": ("test_limits", "a_client_that_leaves_more_unread_than_may_wait_is_closed"),
    "RequestTimeout": ("test_wire", "a_request_that_takes_too_long_is_refused"),
    "ReplyTimeout": ("test_limits", "a_client_that_never_reads_costs_others_nothing_and_is_closed"),
    "RunsPerWorker": ("test_workers", "runs_per_worker_is_a_number_of_runs"),
    "ModuleTimeout": ("test_hostile", "a_module_that_never_gets_ready_is_refused_in_time"),
    "StopTimeout": ("test_daemon", "what_the_time_for_stopping_cuts_off_is_rectified_at_the_next_start"),
    "StopTimeoutRectifying": ("test_watch",
                              "a_reversal_that_takes_longer_than_it_may_is_cut_off_and_goes_on_at_the_next_start"),
    "IdleExit": ("test_idle", "a_daemon_with_nothing_to_do_ends_and_leaves_nothing_unfinished"),
    "WorkerMemory": ("test_hostile", "the_workers_memory_can_be_limited"),
    "RecorderSize": ("test_reload", "what_cannot_change_while_the_daemon_runs_counts_from_the_next_start_on"),
    "MaxPoolSize": ("test_reload", "a_smaller_pool_counts_for_the_next_run"),
    "MaxNotesSize": ("test_kept", "how_much_may_be_noted_is_a_setting"),
    "MaxRectifiedSize": ("test_kept", "how_much_rectifiers_may_write_is_a_setting"),
    "OnParked": ("test_parking", "a_parked_run_holds_the_queue_where_that_is_set"),
    "KeepRuns": ("test_kept", "how_many_ended_runs_are_kept_is_a_setting"),
    "KeepRunsTime": ("test_kept", "how_long_ended_runs_are_kept_is_a_setting"),
    "KeepReplies": ("test_kept", "how_many_replies_are_kept_is_a_setting"),
    "KeepRepliesTime": ("test_kept", "how_long_replies_are_kept_is_a_setting"),
}


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


def settings():
    shown = run(program("ryusod"), "--show-config", "--config=/dev/null").stdout
    return set(re.findall(r"^(\w+)=", shown, re.MULTILINE))


@test
def every_setting_has_a_test_of_its_edges_and_one_of_its_effect():
    equal(settings(), set(EFFECTS), "the settings of which there is a test")
    equal(settings() - {row[0] for row in EDGES}, {"Module"}, "the settings whose edges are not tried")
    for setting, (file, name) in EFFECTS.items():
        text = (TOP_SOURCE / "tests" / f"{file}.py").read_text()
        check(f"def {name}():" in text and setting in text, f"{setting}: expected {name} in {file}.py")


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
