"""The right to use one thing that is lent: it can be narrowed and taken back at any time, and never widened."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable


class Refusal(OSError):
    """Something was asked for that is not allowed here. `what` says what it was, `hint` what would allow it."""

    def __init__(self, code: int, what: str, hint: str = "") -> None:
        super().__init__(code, what)
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple[type[Refusal], tuple[int | None, str, str]]:
        return Refusal, (self.errno, self.what, self.hint)


class NotLent(Refusal, PermissionError):
    """Something was asked for that was not lent."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(errno.EPERM, what, hint)

    def __reduce__(self) -> tuple[type[Refusal], tuple[str, str]]:  # type: ignore[override]
        return NotLent, (self.what, self.hint)


READONLY_HINT = "--dir HOST::GUEST, without :ro, lends it for writing"


class Access:
    """What may be done with one thing now. Any thread may narrow it; whoever uses the thing asks before each use, and whoever waits for
    it is told, so that he asks again.

    The thing itself is not closed when access to it is taken back: another thread may be in the middle of using it.
    """

    __slots__ = ("_watchers", "name", "readonly", "revoked")

    def __init__(self, name: str, *, readonly: bool = False) -> None:
        self.name = name
        self.readonly = readonly
        self.revoked = False
        self._watchers: dict[Callable[[], object], None] = {}

    def make_readonly(self) -> None:
        """Nothing can be written from now on."""
        self.readonly = True
        self._tell()

    def revoke(self) -> None:
        """Nothing can be done from now on."""
        self.revoked = True
        self._tell()

    def watch(self, changed: Callable[[], object]) -> None:
        """Have a function called, from whatever thread, after each change."""
        self._watchers[changed] = None

    def unwatch(self, changed: Callable[[], object]) -> None:
        self._watchers.pop(changed, None)

    def _tell(self) -> None:
        for changed in tuple(self._watchers):
            changed()

    def use(self) -> None:
        """Fails   NotLent when it was taken back"""
        if self.revoked:
            raise NotLent(f"{self.name} was taken back")

    def write(self) -> None:
        """Fails   NotLent when it was taken back; Refusal EROFS when it is lent for reading only"""
        if self.revoked:
            raise NotLent(f"{self.name} was taken back")
        if self.readonly:
            raise Refusal(errno.EROFS, f"{self.name} is lent for reading only", READONLY_HINT)

    def __repr__(self) -> str:
        state = "revoked" if self.revoked else "read-only" if self.readonly else "open"
        return f"<Access {self.name}: {state}>"


def failure(code: int, name: str | None = None) -> OSError:
    """The error of the system with that number; of the class that Python has for it."""
    return OSError(code, os.strerror(code)) if name is None else OSError(code, os.strerror(code), name)
