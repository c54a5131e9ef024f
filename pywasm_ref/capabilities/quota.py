"""How much may be written: bytes and files."""

from __future__ import annotations

import errno
import threading

from pywasm_ref.capabilities.access import failure


class Quota:
    """A number of bytes and of files that all who share this object may use together. None is no limit.

    Fails   OSError EDQUOT, by `take`, when there would be too many; then nothing is taken
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
                raise failure(errno.EDQUOT)
            if self.files is not None and files > 0 and self.used_files + files > self.files:
                raise failure(errno.EDQUOT)
            self.used_bytes += bytes
            self.used_files += files

    def room(self, bytes: int) -> int:
        """How many of so many bytes could still be taken."""
        return bytes if self.bytes is None else max(0, min(bytes, self.bytes - self.used_bytes))

    def give_back(self, bytes: int = 0, files: int = 0) -> None:
        with self._lock:
            self.used_bytes -= bytes
            self.used_files -= files

    def __repr__(self) -> str:
        return f"<Quota {self.used_bytes} of {self.bytes} bytes, {self.used_files} of {self.files} files>"
