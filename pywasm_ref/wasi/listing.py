"""The entries of an open directory, with cookies that stay true whatever is added and removed."""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Callable, Iterator

from pywasm_ref.capabilities.filesystem.nodes import Directory, Kind
from pywasm_ref.wasi.abi import DIRENT, Filetype

FILETYPE = {
    Kind.FILE: Filetype.REGULAR_FILE,
    Kind.DIRECTORY: Filetype.DIRECTORY,
    Kind.SYMLINK: Filetype.SYMBOLIC_LINK,
    Kind.CHARACTER: Filetype.CHARACTER_DEVICE,
    Kind.BLOCK: Filetype.BLOCK_DEVICE,
    Kind.SOCKET: Filetype.SOCKET_STREAM,
    Kind.OTHER: Filetype.UNKNOWN,
}

OFTEN = 1024
SPARE = 1024
"""Names that are gone and still have their cookies, at least."""


class Listing:
    """A name keeps its cookie for as long as the directory is open, new names get higher ones; so a guest that goes on from a cookie misses
    nothing that stayed, and sees nothing twice. Looking again is what a guest asks for by beginning at 0."""

    def __init__(self) -> None:
        self._cookies: dict[bytes, int] = {}
        self._last = 0
        self._sorted: list[tuple[int, bytes, int, Kind]] = []

    def look(self, directory: Directory, still: Callable[[], object]) -> None:
        """Note what is there now. Of the directory above a guest learns nothing: `..` has the number of the directory itself. `still` is
        asked from time to time, and may raise an error to end it."""
        own = directory.stat().ino
        there = {b".": (own, Kind.DIRECTORY), b"..": (own, Kind.DIRECTORY)}
        with contextlib.closing(directory.entries()) as entries:
            for entry in entries:
                there[entry.name] = (entry.ino, entry.kind)
                if len(there) % OFTEN == 0:
                    still()
        if len(self._cookies) > 2 * len(there) + SPARE:
            self._cookies = {name: cookie for name, cookie in self._cookies.items() if name in there}
        for name in there:
            if name not in self._cookies:
                self._last += 1
                self._cookies[name] = self._last
        self._sorted = sorted((self._cookies[name], name, ino, kind) for name, (ino, kind) in there.items())

    def __len__(self) -> int:
        return len(self._cookies)

    def after(self, cookie: int) -> Iterator[bytes]:
        """The entries behind a cookie, as they stand in memory."""
        for i in range(bisect.bisect_right(self._sorted, cookie, key=lambda entry: entry[0]), len(self._sorted)):
            own, name, ino, kind = self._sorted[i]
            yield DIRENT.pack(own, ino, len(name), FILETYPE[kind]) + name
