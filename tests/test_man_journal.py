#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-journal(7) and the journal's catalog: they agree with the daemon's source and with what it writes, and the
queries that they show find what they say."""

import re

import man_commands
from journal import CRIT, Talker, beside_journald, journal, talk
from tap import TOP_SOURCE, check, contains, equal, main, run, scratch, test

beside_journald()

PAGE = "\n".join(man_commands.source("ryuso-journal.7")) + "\n"
CATALOG = (TOP_SOURCE / "units" / "ryuso.catalog").read_text()
EXAMPLE_RUN = "0c5e9b1f72d84a60b3e1f5a7c8d90213"
RUN_FIELDS = {"RYUSO_RUN", "RYUSO_PROGRAM", "RYUSO_PEER_UID", "RYUSO_PEER_PID"}
OF_NO_RUN = {"e88c6b8e37f64b7d837279ce2730c6fa", "5855ce9147754cf2a419e90e844feadd",
             "a2878864896341378e9a6772c365e81a"}


def section(name):
    return PAGE.split(f".Sh {name}\n")[1].split("\n.Sh ")[0]


def source(pattern):
    return {path.name: path.read_text() for path in sorted((TOP_SOURCE / "src" / "daemon").glob(pattern))}


def message_ids():
    """Those of the source: id → name."""
    [header] = source("trace_ids.h").values()
    found = {number: name for name, number in re.findall(r'#define (TRACE_ID_\w+) "([0-9a-f]{32})"', header)}
    check(len(found) >= 10, f"expected the ids, got {found}")
    return found


def kinds():
    """Those of the page: id → the fields that it may have beside those of every entry of a run."""
    items = re.findall(r"^\.It Li ([0-9a-f]{32})\n((?:(?!\.It|\.El).*\n)*)", section("KINDS OF ENTRIES"), re.MULTILINE)
    return {number: set(re.findall(r"RYUSO_[A-Z_]+", text.split(".br\n")[1] if ".br\n" in text else ""))
            for number, text in items}


def catalog():
    """Those of the catalog: id → text."""
    return dict(re.findall(r"^-- ([0-9a-f]{32})\n((?:(?!-- ).*\n)*)", CATALOG, re.MULTILINE))


@test
def every_field_that_the_daemon_writes_is_in_the_page_and_no_other():
    written = set(re.findall(r'"(RYUSO_[A-Z_]+)"', "".join(source("trace*.c").values())))
    documented = set(re.findall(r"RYUSO_[A-Z_]+", "\n".join(re.findall(r"^\.It Va (.*)", section("FIELDS"),
                                                                         re.MULTILINE))))
    check(len(written) >= 15, f"expected the fields, got {written}")
    equal(documented, written, "the fields")


@test
def every_kind_of_entry_is_in_the_page_and_no_other():
    equal(set(kinds()), set(message_ids()), "the message ids")


@test
def every_kind_of_entry_is_explained_by_the_catalog_and_no_other():
    equal(set(catalog()), set(message_ids()), "the message ids")
    documented = set(re.findall(r"RYUSO_[A-Z_]+", section("FIELDS")))
    for number, text in catalog().items():
        head, _, body = text.partition("\n\n")
        check(re.match(r"Subject: \S.*\nDefined-By: ryuso\nDocumentation: ", head), f"{number}: {head}")
        check(len(body.split()) > 10, f"{number}: expected an explanation, got {body!r}")
        for name, part in re.findall(r"man:([\w.-]+)\((\d)\)", head):
            check(f"{name}.{part}" in man_commands.PAGES, f"{number}: there is no page {name}({part})")
        shown = set(re.findall(r"@(RYUSO_\w+)@", text))
        equal(shown - documented, set(), f"{number}: fields that there are not")
        for line in body.splitlines():
            check(len(line) <= 90, f"{number}: {line!r} is too wide")


@test
def the_sizes_of_the_page_are_those_of_the_source():
    header = (TOP_SOURCE / "src" / "base" / "log.h").read_text()
    for name, value, text in (("LOG_MESSAGE_MAX", "4096", "the message at 4096"),
                              ("LOG_FIELD_MAX", "1024", "cut at 1024 bytes"),
                              ("LOG_QUEUE_ENTRIES", "4096", "up to 4,096 entries"),
                              ("LOG_QUEUE_BYTES", "(4U << 20)", "or 4 MiB")):
        contains(header, f"#define {name} {value}", "the source")
        contains(PAGE, text, "the page")


@test
def journalctl_can_compile_the_catalog():
    directory = scratch()
    (directory / "usr/lib/systemd/catalog").mkdir(parents=True)
    (directory / "var/lib/systemd/catalog").mkdir(parents=True)
    (directory / "usr/lib/systemd/catalog/ryuso.catalog").write_text(CATALOG)
    run("journalctl", f"--root={directory}", "--update-catalog")
    listed = run("journalctl", f"--root={directory}", "--list-catalog").stdout
    equal(set(re.findall(r"^([0-9a-f]{32})", listed, re.MULTILINE)), set(message_ids()), "what is listed")


# ---- a daemon's day ----

_day = []


def day():
    """Entries of a daemon that has had one of (nearly) everything: the run that the page's queries ask for, entries."""
    if not _day:
        crashing = talk(script={"first": [["print", "a line\n"]], "second": [["crash", ""]]}, metadata={"ticket": "T-7"})
        parking = talk(script={"second": [["fail", "Broken"]], "undo_first": [["fail", "CannotUndo"]]},
                       metadata={"ticket": "T-8"})
        with Talker() as daemon, daemon.client() as client:
            client.ask(talk())
            chosen = client.ask(crashing)
            parked = client.ask(parking)["run"]
            client.ask({"call": "hold", "parameters": {"reason": "closing"}})
            client.ask({"call": "resume"})
            client.ask({"call": "retry", "parameters": {"run": parked, "step": 1, "reason": "again"}})
            client.ask({"call": "wait", "parameters": {"run": parked}})
            client.ask({"call": "skip", "parameters": {"run": parked, "step": 1, "reason": "by hand"}})
            client.ask({"call": "wait", "parameters": {"run": parked}})
        equal((chosen["status"], chosen["error"]["name"]), ("rectified", "HookUnknown"), "the run that crashes")
        _day.append((daemon, chosen, daemon.entries()))
    return _day[0]


@test
def each_kind_of_entry_has_the_fields_that_the_page_says_and_no_other():
    _, _, entries = day()
    documented, found = kinds(), {}
    for entry in entries:
        if "MESSAGE_ID" in entry:
            names = {name for name in entry if name.startswith("RYUSO_")}
            check("RYUSO_INSTANCE" in names, f"expected an instance in {entry}")
            allowed = documented[entry["MESSAGE_ID"]] | {"RYUSO_INSTANCE"}
            if entry["MESSAGE_ID"] not in OF_NO_RUN:
                allowed |= RUN_FIELDS
            equal(names - allowed, set(), f"fields that the page does not give to {entry}")
            found.setdefault(entry["MESSAGE_ID"], set()).update(names)
    for number in set(documented) - OF_NO_RUN:
        check(number in found or message_ids()[number] in UNSEEN, f"no entry of the kind {number} was seen")
        if number in found:
            equal(documented[number] - found[number], set(), f"{number}: fields that were not seen")


# kinds that no client can bring about
UNSEEN = {"TRACE_ID_STORE", "TRACE_ID_MOVED"}


@test
def every_entry_has_the_fields_of_every_entry():
    _, _, entries = day()
    common = set(re.findall(r"^\.It Va (?!RYUSO_)(\w+)", section("FIELDS"), re.MULTILINE))
    equal(common, {"MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER"}, "what the page says")
    for entry in entries:
        equal(common - set(entry) - {"MESSAGE_ID"}, set(), f"fields that are missing in {entry}")
        own = {name for name in entry if not name.startswith(("_", "RYUSO_", "SYSLOG_TIMESTAMP"))}
        equal(own - common, set(), f"fields that the page does not know, in {entry}")
        equal(entry["SYSLOG_IDENTIFIER"], "ryusod", "who writes")


@test
def the_queries_of_the_page_find_what_is_there():
    daemon, chosen, entries = day()
    queries = man_commands.commands("ryuso-journal.7", root=True)
    check(len(queries) >= 10, f"expected queries, got {queries}")
    run("journalctl", "--sync")
    for query in queries:
        text = query.replace(EXAMPLE_RUN, chosen["run"]).replace("wallet", daemon.instance)
        text = text.replace("=transfer", f"={chosen['program']}")
        done = run("bash", "-c", text)
        check(done.stdout.strip() and "No entries" not in done.stdout, f"{query}: found nothing:\n{done.stdout}")
    of_run = [entry["MESSAGE"] for entry in entries if entry.get("RYUSO_RUN") == chosen["run"]]
    found = run("bash", "-c", queries[0].replace(EXAMPLE_RUN, chosen["run"]) + " -o cat").stdout.splitlines()
    equal(found, of_run, "what the first query finds")


@test
def a_parked_run_is_found_by_priority_alone():
    daemon, _, _ = day()
    found = journal("-p", "crit", f"RYUSO_INSTANCE={daemon.instance}")
    equal({(entry["PRIORITY"], entry["RYUSO_PARKED_ERROR"]) for entry in found}, {(CRIT, "RectifierFailed")}, "entries")


main()
