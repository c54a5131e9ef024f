"""How much may be written: bytes and files."""

from __future__ import annotations

import errno
import threading

from pywasm_ref.capabilities.access import Refusal

HINT = "bytes and files of a directory in the policy are its quota"


class Quota:
    """A number of bytes and of files that all who share this object may use together. None is no limit.

    Fails   Refusal EDQUOT, by `take`, when there would be too many; then nothing is taken
    """

    __slots__ = ("_lock", "bytes", "files", "used_bytes", "used_files")

    def __init__(self, bytes: int | None = None, files: int | None = None) -> None:
        if (bytes is not None and bytes < 0) or (files is not None and files < 0):
            raise ValueError("a quota is not negative")
        self.bytes = bytes
        self.files = files
        self.used_bytes = 0
        self.used_files = 0
        self._lock = threading.Lock()

    def take(self, bytes: int = 0, files: int = 0) -> None:
        with self._lock:
            if self.bytes is not None and bytes > 0 and self.used_bytes + bytes > self.bytes:
                raise self.used_up()
            if self.files is not None and files > 0 and self.used_files + files > self.files:
                raise Refusal(errno.EDQUOT, f"more than {self.files} files", HINT)
            self.used_bytes += bytes
            self.used_files += files

    def used_up(self) -> Refusal:
        """What to raise where there is no room for a single byte more."""
        return Refusal(errno.EDQUOT, f"more than {self.bytes} bytes", HINT)

    def room(self, bytes: int) -> int:
        """How many of so many bytes could still be taken."""
        return bytes if self.bytes is None else max(0, min(bytes, self.bytes - self.used_bytes))

    def give_back(self, bytes: int = 0, files: int = 0) -> None:
        with self._lock:
            self.used_bytes -= bytes
            self.used_files -= files

    def allows(self, bytes: int | None, files: int | None) -> bool:
        """Whether limits are no looser than these; None asks for none of its own."""
        pairs = ((bytes, self.bytes), (files, self.files))
        return all(wanted is None or limit is None or wanted <= limit for wanted, limit in pairs)

    def tighten(self, bytes: int | None, files: int | None) -> None:
        """Make the limits smaller, never larger; what is used already stays."""
        with self._lock:
            self.bytes = smaller(self.bytes, bytes)
            self.files = smaller(self.files, files)

    def __repr__(self) -> str:
        return f"<Quota {self.used_bytes} of {self.bytes} bytes, {self.used_files} of {self.files} files>"


def smaller(limit: int | None, other: int | None) -> int | None:
    """The tighter of two limits; None is no limit."""
    return other if limit is None else limit if other is None else min(limit, other)
