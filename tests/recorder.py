# SPDX-License-Identifier: LGPL-2.1-or-later
"""A reader of recorder files, written from the page "Disk format" of HACKING.md and not from the C code. records() lists
what holds, as dictionaries; page() is the first page."""

import json
import pathlib
import struct

PAGE_SIZE = 4096
HEADER = struct.Struct("<IIIIQQ")
KINDS = (None, "START", "BEGIN", "NOTE", "END", "STOP", "FINISH", "UNBEGUN", "RETRY", "SKIP", "CONFIRM", "PARK", "TAKEN")
# The first page: offset, struct's letter, name. What is behind `check` changes while the file is in use.
PAGE = ((0, "8s", "magic"), (8, "I", "version"), (12, "I", "number"), (16, "Q", "size"), (24, "16s", "machine"),
        (40, "16s", "boot"), (56, "Q", "inode"), (64, "Q", "born_usec"), (72, "I", "check"), (80, "Q", "tail"),
        (88, "Q", "last"), (96, "Q", "sequence"), (104, "Q", "synced"), (112, "I", "state"), (116, "I", "turn"),
        (120, "Q", "wanted"), (128, "I", "failed"), (132, "I", "renew"), (136, "16s", "run"), (152, "I", "op"),
        (156, "I", "step"), (160, "I", "attempt"), (164, "I", "rectifying"), (168, "Q", "since_usec"),
        (176, "Q", "deadline_usec"), (184, "I", "deadline_is_program"), (188, "65s", "deadline_program"),
        (253, "16s", "wish_run"), (272, "I", "wish"), (276, "I", "declined"), (280, "I", "hold"), (284, "I", "pause"))
# A content, field by field: i 128 bits, I and Q numbers, s text, b bytes, w writes, r a request.
ATTEMPT = "I:op I:step I:attempt I:rectifying "
DECISION = "I:step I:flags I:uid Q:usec s:reason"
CONTENTS = {
    "START": "i:run i:module I:uid I:gid I:pid I:flags Q:start_by_usec Q:begun_usec Q:begun_realtime_usec s:program "
             "w:arguments r:request",
    "BEGIN": ATTEMPT + "I:in_doubt Q:usec",
    "NOTE": "I:step s:key b:data",
    "END": ATTEMPT + "I:outcome I:error Q:usec s:reason s:message s:program w:writes",
    "STOP": "I:cause s:program s:message",
    "FINISH": "i:run I:status I:error I:error_step Q:usec I:n_records I:n_syncs s:reply",
    "UNBEGUN": "i:run I:cause",
    "RETRY": DECISION, "SKIP": DECISION, "CONFIRM": DECISION,
    "PARK": "I:code s:message",
    "TAKEN": "I:interruptions I:barred Q:usec s:message",
}
REQUEST = "s:request_id i:fingerprint s:metadata Q:submitted_usec"


def _crc_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


_CRC = tuple(_crc_table())


def crc32c(crc, data):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, letter):
        [value] = struct.unpack_from("<" + letter, self.data, self.at)
        self.at += struct.calcsize("<" + letter)
        return value

    def bytes(self, size):
        if size > len(self.data) - self.at:
            raise ValueError("a content is cut off")
        self.at += size
        return self.data[self.at - size:self.at]

    def block(self):
        return self.bytes(self.number("I"))

    def value(self):
        kind = self.number("B")
        if kind == 1:
            return self.block().decode()
        if kind in (4, 5):
            return json.loads(self.block())
        return self.number({2: "q", 3: "d", 6: "?"}[kind])

    def writes(self):
        return {self.block().decode(): self.value() for _ in range(self.number("I"))}

    def field(self, letter):
        if letter in "IQ":
            return self.number(letter)
        if letter == "i":
            return self.bytes(16).hex()
        block = self.block()
        return {"s": bytes.decode, "b": bytes, "w": lambda data: Reader(data).writes(),
                "r": lambda data: Reader(data).fields(REQUEST) if data else None}[letter](block)

    def fields(self, text):
        found = {name: self.field(letter) for letter, name in (word.split(":") for word in text.split())}
        if self.at != len(self.data):
            raise ValueError("a content is longer than its kind says")
        return found


def page(data):
    found = {name: struct.unpack_from("<" + letter, data, offset)[0] for offset, letter, name in PAGE}
    found["holds"] = (found["magic"] == b"RYUSOREC" and found["version"] == 2 and
                      crc32c(0, data[:72]) == found["check"])
    return found


def record_at(data, offset, number, sequence=None):
    """The record there, or None."""
    if len(data) - offset < HEADER.size:
        return None
    length, crc, found, kind, found_sequence, synced = HEADER.unpack_from(data, offset)
    whole = (HEADER.size + length + 7) // 8 * 8
    if found != number or not 0 < kind < len(KINDS) or whole > len(data) - offset or sequence not in (None, found_sequence):
        return None
    if crc32c(length, data[offset + 8:offset + whole]) != crc:
        return None
    content = data[offset + HEADER.size:offset + HEADER.size + length]
    return {"kind": KINDS[kind], "offset": offset, "size": whole, "sequence": found_sequence, "synced": synced,
            **Reader(content).fields(CONTENTS[KINDS[kind]])}


def records(source):
    """`source`: a path, or the bytes. From the first record to the first that does not hold."""
    data = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
    number, offset, sequence, found = page(data)["number"], PAGE_SIZE, 1, []
    while (record := record_at(data, offset, number, sequence)) is not None:
        found.append(record)
        offset += record["size"]
        sequence += 1
    return found


def packed(data):
    """Records outside a file, as the ledger keeps them."""
    reader, found = Reader(data), []
    while reader.at < len(data):
        kind, size = KINDS[reader.number("I")], reader.number("I")
        found.append({"kind": kind, **Reader(reader.bytes(size)).fields(CONTENTS[kind])})
        reader.bytes(-size % 8)
    return found
