#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk format as HACKING.md tells it: a reader that was written from that page reads what the C code wrote."""

import os
import subprocess

import recorder
from tap import TOP_BUILD, check, equal, main, scratch, test

RUN = "01a5" + 28 * "0"


def dump():
    directory = scratch()
    paths = {"CHRONICLE_FILE": str(directory / "file"), "CHRONICLE_PACKED": str(directory / "packed")}
    subprocess.run([TOP_BUILD / "tests/chronicle_dump"], env={**os.environ, **paths}, check=True,
                   stdout=subprocess.DEVNULL)
    return (directory / "file").read_bytes(), (directory / "packed").read_bytes()


FILE, PACKED = dump()
PLACE = ("offset", "size", "sequence", "synced")


def content(record):
    return {name: value for name, value in record.items() if name not in PLACE}


def first(kind):
    return content(next(record for record in recorder.records(FILE) if record["kind"] == kind))


@test
def the_first_page_is_where_the_format_says():
    page = recorder.page(FILE)
    check(page["holds"], "its fixed part does not hold")
    equal((page["number"], page["size"], page["inode"], page["born_usec"]), (0xC0FFEE01, len(FILE), 3, 4), "the page")
    equal(page["machine"].hex(), RUN, "the machine")
    equal(page["tail"], sum(record["size"] for record in recorder.records(FILE)) + recorder.PAGE_SIZE, "the tail")
    equal(page["sequence"], len(recorder.records(FILE)) + 1, "the next sequence")


@test
def a_byte_of_the_fixed_part_that_is_another_one_is_noticed():
    for at in range(76):
        check(not recorder.page(FILE[:at] + bytes([FILE[at] ^ 4]) + FILE[at + 1:])["holds"], f"byte {at}")


@test
def every_record_is_read_in_order():
    equal([record["kind"] for record in recorder.records(FILE)],
          "START BEGIN NOTE END TAKEN STOP BEGIN END BEGIN END BEGIN END FINISH RETRY BEGIN END BEGIN END BEGIN END "
          "FINISH SKIP FINISH START BEGIN END PARK FINISH START TAKEN UNBEGUN".split(), "the kinds")
    equal({record["kind"] for record in recorder.records(FILE)}, set(recorder.KINDS[1:]) - {"CONFIRM"}, "the kinds")


@test
def contents_are_read_field_by_field():
    equal(first("BEGIN"), {"kind": "BEGIN", "op": 1, "step": 1, "attempt": 1, "rectifying": 0, "in_doubt": 0,
                           "usec": 1000000000}, "BEGIN")
    equal(first("NOTE"), {"kind": "NOTE", "step": 1, "key": "key", "data": b"data"}, "NOTE")
    equal(first("END")["writes"], {"last": 1}, "END's writes")
    equal(first("STOP")["cause"], 15, "STOP's cause (Cancelled)")
    equal(first("RETRY")["reason"], "because", "RETRY's reason")
    equal(first("PARK"), {"kind": "PARK", "code": 19, "message": ""}, "PARK (ModuleChanged)")
    equal(first("UNBEGUN"), {"kind": "UNBEGUN", "run": "09a5" + 28 * "0", "cause": 24}, "UNBEGUN (NotStarted)")
    finish = first("FINISH")
    equal((finish["run"], finish["status"]), (RUN, 3), "FINISH (parked)")
    check(finish["reply"].endswith("}"), finish["reply"])


@test
def a_start_says_what_was_asked_for():
    last = [content(record) for record in recorder.records(FILE) if record["kind"] == "START"][-1]
    equal((last["uid"], last["gid"], last["pid"], last["flags"], last["program"]), (1000, 100, 42, 2, "p"), "START")
    equal(last["request"], {"request_id": "a3f1", "fingerprint": "07a5" + 28 * "0", "metadata": '{"ticket":"T-7"}',
                            "submitted_usec": 12}, "the request")
    equal(first("START")["request"], None, "of a run that nothing more was said of")


@test
def a_record_that_was_changed_ends_the_file():
    third = recorder.records(FILE)[2]
    for at in range(third["offset"], third["offset"] + third["size"]):
        found = recorder.records(FILE[:at] + bytes([FILE[at] ^ 1]) + FILE[at + 1:])
        equal(len(found), 2, f"records with byte {at} changed")


@test
def packed_records_are_the_same_ones():
    equal(recorder.packed(PACKED), [content(record) for record in recorder.records(FILE)], "the packed records")


main()
