#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is never shown, secrets; and what clients and authors cannot do with text: forge an entry, a field, or a
terminal's sequence, or fill the journal."""

import json
import os
import pathlib
import unicodedata

from journal import HOOK, OUTPUT, RUN_BEGUN, Talker, WithoutJournal, beside_journald, journal, said, talk
from tap import check, contains, equal, main, test

beside_journald()

FIELD_MAX, MESSAGE_MAX, REASON_MAX = 1024, 4096, 64
CUT = "…"


# ---- secrets ----

def secrets_of(name):
    """Words that are nowhere else."""
    return {name: os.urandom(12).hex(), "pin": 7100000000000 + int.from_bytes(os.urandom(4), "big")}


def whisper(word, pin=None, **members):
    pool = {"word": word} if pin is None else {"word": word, "pin": pin}
    script = members.pop("script", {})
    return talk("whisper", script, data_pool=pool, **members)


def files(directory):
    """What is in the files, but for the specs of modules, which anybody may read in the modules themselves."""
    return b"".join(path.read_bytes() for path in sorted(pathlib.Path(directory).rglob("*"))
                    if path.is_file() and path.parent.name != "modules")


def nowhere(secrets, daemon, replies):
    """Checks that none of these words is in the journal, in what a client was told, or in a file."""
    places = {"the journal": json.dumps(journal()), "the replies": json.dumps(replies),
              "standard error": daemon.log(), "the state directory": files(daemon.state).decode(errors="replace")}
    for place, text in places.items():
        for secret in secrets:
            check(str(secret) not in text, f"the secret {secret!r} is in {place}")
    return places


ENDINGS = {"succeeded": [], "rectified": [["fail", "Broken", "the sentence"]], "crashed": [["crash", ""]],
           "in doubt": [["unknown", "Lost"]]}


@test
def secret_arguments_and_outputs_are_nowhere_whatever_becomes_of_the_run():
    secrets, replies = [], []
    with Talker() as daemon, daemon.client() as client:
        for ending in ENDINGS.values():
            for follow in (False, True):
                words = secrets_of("word")
                secrets += words.values()
                client.send(whisper(**words, script={"second": ending}, follow=follow))
                replies += until_the_end(client)
        replies.append(client.ask({"call": "status"}))
    places = nowhere([*secrets, 471100174], daemon, replies)
    contains(places["the journal"], '"keep"', "what is in the journal")
    equal([reply["status"] for reply in replies if "status" in reply],
          [status for status in ("succeeded", "rectified", "rectified", "rectified") for _ in range(2)],
          "how the runs ended")


def until_the_end(client):
    """The events of a run and its reply."""
    found = [client.reply()]
    while "event" in found[-1]:
        found.append(client.reply())
    return found


@test
def secrets_of_the_wrong_type_or_in_the_wrong_place_are_not_repeated():
    word, pin = secrets_of("word").values()
    with Talker() as daemon, daemon.client() as client:
        replies = [client.ask(request) for request in (
            whisper([word]), whisper({"word": word}), whisper(pin), whisper(True, word), whisper("x", word),
            whisper("x", [pin]), whisper("x", pin + 0.5), whisper("x", None, metadata=[word]),
            talk(data_pool={"surplus": word}), {"program": "whisper", "word": word}, {"word": word},
            {"call": "describe", "parameters": {"program": [word]}}, {"program": "whisper", "data_pool": word},
            {"program": "whisper", "start_within": word}, {"program": [word], "data_pool": {"word": word}})]
        client.send('{"program":"whisper","data_pool":{"word":"' + word + '"')
        client.finish()
        replies += client.rest()
    succeeded = [reply for reply in replies if not reply.get("error")]
    equal(len(succeeded), 0, f"how many of these were taken: {succeeded}")
    nowhere([word, pin], daemon, replies)


@test
def what_is_described_has_no_secret_default():
    _, [reply] = said(None, {"call": "describe", "parameters": {"program": "whisper"}})
    [pin] = [arg for arg in reply["result"]["args"] if arg["name"] == "pin"]
    equal((pin["secret"], "default" in pin), (True, False), "pin")
    check("471100174" not in json.dumps(reply), f"expected no secret default in {reply}")


# ---- text of others ----

ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\x7f\x08\u0085"
FORGED = "x\nMESSAGE=forged\nRYUSO_RUN=forged\nPRIORITY=0\n<0>forged\r\nforged: line " + ESCAPES


def controls(text):
    return [character for character in text if unicodedata.category(character) == "Cc"]


def unforged(entries):
    """Checks that every field is text without control characters, once, and of the size stated."""
    for entry in entries:
        for name, value in entry.items():
            if not name.startswith(("RYUSO_", "MESSAGE", "PRIORITY", "SYSLOG_")):
                continue
            check(isinstance(value, str), f"expected {name} once, as text, got {value!r}")
            check(not controls(value), f"expected no control characters in {name}, got {value!r}")
            most = MESSAGE_MAX if name == "MESSAGE" else FIELD_MAX
            check(len(value.encode()) <= most + len(CUT.encode()), f"{name} has {len(value.encode())} bytes")
            check(value != "forged", f"{name} is forged")


def kinds(entries):
    return [entry.get("MESSAGE_ID") for entry in entries]


def plain_run():
    """The kinds of entries of a run of which nothing is remarkable, and the fields of each."""
    daemon, [reply] = said(None, talk(metadata={"a": "b"}))
    entries = daemon.entries_of(reply)
    return kinds(entries), [set(entry) for entry in entries]


@test
def metadata_is_logged_and_forges_nothing():
    metadata = {"ticket": FORGED, FORGED: 1, "MESSAGE": "forged", "RYUSO_RUN": ["forged", {"\x1b": ESCAPES}]}
    daemon, [reply] = said(None, talk(metadata=metadata))
    check(reply["success"], f"the run: {reply}")
    entries = daemon.entries_of(reply)
    equal((kinds(entries), [set(entry) for entry in entries]), plain_run(), "kinds of entries, and their fields")
    unforged(daemon.entries())
    contains(entries[0]["RYUSO_METADATA"], "ticket", "the metadata")


@test
def metadata_is_cut_at_the_stated_size():
    for metadata in ({"long": "y" * 5000}, {"long": "é" * 5000}, {"long": "\x1b" * 5000}, {"y" * 5000: "long"},
                     {f"key{number}": number for number in range(1000)}, {"long": "\u2028🦀" * 3000}):
        daemon, [reply] = said(None, talk(metadata=metadata))
        value = daemon.entries_of(reply)[0]["RYUSO_METADATA"]
        whole = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
        check(value.endswith(CUT) and FIELD_MAX - 4 <= len(value[:-1].encode()) <= FIELD_MAX,
              f"expected {FIELD_MAX} bytes and {CUT}, got {len(value.encode())} bytes: {value[-20:]!r}")
        equal(value[:-1], whole[:len(value) - 1], "what is left of it")
        unforged(daemon.entries())


@test
def what_is_refused_puts_no_text_into_the_journal():
    requests = [talk(name + tail) for name in ("no-such", "talk") for tail in (FORGED, "y" * 5000)]
    requests += [talk(data_pool={"script": FORGED}), talk(data_pool={"script": ["y" * 5000]}), talk(**{FORGED: 1}),
                 talk(data_pool={FORGED: 1}), {"call": FORGED}, {"call": "y" * 5000}, {FORGED: FORGED},
                 {"call": "describe", "parameters": {"program": FORGED}}, talk(id="y" * 5000)]
    with Talker() as daemon, daemon.client() as client:
        for request in requests:
            client.send(request)
            line = client.line()
            check(json.loads(line)["error"], f"expected a refusal, got {line!r}")
            check(not controls(line.decode().rstrip("\n")), f"expected no control characters in {line!r}")
    unforged(daemon.entries())
    text = json.dumps(daemon.entries())
    check("forged" not in text and "y" * 100 not in text, f"expected nothing of it in {text}")


@test
def an_authors_reason_and_message_forge_nothing():
    for verb in ("fail", "unknown"):
        script = {"second": [[verb, "Bad" + FORGED, FORGED + "y" * 9000]]}
        with Talker() as daemon, daemon.client() as client:
            client.send(talk(script=script, follow=True))
            found = until_the_end(client)
        error = found[-1]["error"]
        for reply in found:
            check(not controls(json.dumps(reply, ensure_ascii=False)), f"expected no control characters in {reply}")
        check(error["reason"].startswith("Bad") and len(error["reason"]) <= REASON_MAX, f"the reason: {error}")
        entries = daemon.entries_of(found[-1])
        equal(kinds(entries)[:3], [RUN_BEGUN, HOOK, HOOK], "the kinds of entries")
        equal(entries[2]["RYUSO_REASON"], error["reason"], "the reason")
        unforged(daemon.entries())


@test
def what_a_hook_prints_of_a_client_forges_no_field():
    for verb in ("print", "complain", "write"):
        daemon, [reply] = said(None, talk(script={"first": [[verb, "client says: " + FORGED + "\n"]]}))
        entries = daemon.entries_of(reply)
        unforged(daemon.entries())
        found = [entry for entry in entries if entry["MESSAGE_ID"] == OUTPUT]
        check(len(found) > 1, "expected an entry for each line")
        for entry in found:
            equal((entry["RYUSO_RUN"], entry["RYUSO_HOOK"], entry["MESSAGE"][:13]),
                  (reply["run"], "first", "talk: first: "), "whose line it is")


@test
def what_a_hook_logs_of_a_client_has_the_level_of_the_hook():
    daemon, [reply] = said(None, talk(script={"first": [["log", FORGED, 6], ["log", "<0>forged", 5]]}))
    found = [entry for entry in daemon.entries_of(reply) if entry["MESSAGE_ID"] == OUTPUT]
    equal({entry["PRIORITY"] for entry in found[:-1]}, {"6"}, "the priorities of one log")
    equal((found[-1]["PRIORITY"], found[-1]["MESSAGE"]), ("5", "talk: first: <0>forged"), "the other")
    unforged(found)


@test
def without_a_journal_no_line_is_forged_either():
    script = {"first": [["print", FORGED + "\n"], ["log", FORGED, 4]], "second": [["fail", "Bad" + FORGED, FORGED]]}
    with WithoutJournal():
        daemon, [reply] = said(None, talk(script=script, metadata={"ticket": FORGED}))
    equal(reply["status"], "rectified", "the run")
    lines = daemon.log_path.read_bytes().split(b"\n")
    equal(lines.pop(), b"", "what is after the last newline")
    for line in lines:
        check(line.startswith(b"ryusod: "), f"a line of nobody's: {line!r}")
        check(not controls(line.decode()), f"control characters in {line!r}")
    contains(daemon.log(), "forged", "the lines")


main()
