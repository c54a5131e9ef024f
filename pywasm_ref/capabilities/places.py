"""Where in a policy's text something stands, so that an error can point at it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Key = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and numbers in arrays, from 0."""

Place = tuple[int, int]
"""Line and column, from 1."""

HEADER = re.compile(r"\s*\[(\[?)([^\[\]]+)\]")
NAME = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\w-]+"
ENTRY = re.compile(rf"(\s*)((?:{NAME})(?:\s*\.\s*(?:{NAME}))*)\s*=")
QUOTES = re.compile(r"\"\"\"|'''")
DECODING = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class PolicyError(ValueError):
    """A policy means nothing. `key` is what is wrong in it; `place` where that stands, if it was read from a text."""

    def __init__(self, message: str, key: Key = (), place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.key = key
        self.place = place

    def __str__(self) -> str:
        return self.message if self.place is None else f"{self.place[0]}:{self.place[1]}: {self.message}"


def read(text: str) -> dict[str, Any]:
    """The data in a text.

    Fails   PolicyError with its place
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise PolicyError("lists or tables are nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        found = DECODING.fullmatch(str(error))
        if found is None:
            raise PolicyError(str(error)) from None
        lines = text.split("\n")
        place = (int(found[2]), int(found[3])) if found[2] else (len(lines), len(lines[-1]) + 1)
        raise PolicyError(found[1], (), place) from None


def place_of(text: str, key: Key) -> Place | None:
    """Where a value stands, or else the smallest thing around it that has a place of its own."""
    places = dict(entries(text))
    return next((places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in places), None)


def entries(text: str) -> Iterator[tuple[Key, Place]]:
    """Each header and each entry that begins a line, outside of strings of several lines."""
    table: Key = ()
    arrays: dict[Key, int] = {}
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = (None, None) if inside else (HEADER.match(line), ENTRY.match(line))
        if header is not None:
            table = names(header[2])
            if header[1]:
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            yield table, (number, line.index("[") + 1)
        elif entry is not None:
            yield (*table, *names(entry[2])), (number, len(entry[1]) + 1)
        inside ^= len(QUOTES.findall(line)) % 2 == 1


def names(dotted: str) -> Key:
    return tuple(name[1:-1] if name[0] in "\"'" else name for name in re.findall(NAME, dotted))
