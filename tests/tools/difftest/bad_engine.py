"""An engine with a command line that is right for most modules, and else crashes, hangs or takes all memory: `bad_engine.py FILE NAME ARGS…`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pywasm_ref as wasm


def crash() -> None:
    os.abort()


def hang() -> None:
    time.sleep(3600)


def eat() -> None:
    """More and more, as a leak would take it."""
    taken = []
    while True:
        taken.append(b"x" * (8 << 20))


def chatter() -> None:
    sys.stdout.write("no number")
    sys.exit(0)


FAILINGS: Mapping[bytes, Callable[[], None]] = {b"crash": crash, b"hang": hang, b"eat": eat, b"chatter": chatter}
"""By the name of an export."""


def main(file: str, name: str, *args: str) -> None:
    data = Path(file).read_bytes()
    for words, failing in FAILINGS.items():
        if words in data:
            failing()
    func = wasm.instantiate(data, engine="reference").exports[name]
    print(func(*map(int, args)))


if __name__ == "__main__":
    main(*sys.argv[1:])
