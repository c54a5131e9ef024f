"""The right to use one thing that is lent: it can be narrowed and taken back at any time, and never widened."""

from __future__ import annotations

import errno
import os


class NotLent(PermissionError):
    """Something was asked for that was not lent. `hint` says what would lend it."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(errno.EPERM, what)
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple[type[NotLent], tuple[str, str]]:
        return NotLent, (self.what, self.hint)


class Access:
    """What may be done with one thing now. Any thread may narrow it; whoever uses the thing asks before each use.

    The thing itself is not closed when access to it is taken back: another thread may be in the middle of using it.
    """

    __slots__ = ("hint", "name", "readonly", "revoked")

    def __init__(self, name: str, *, readonly: bool = False, hint: str = "") -> None:
        self.name = name
        self.hint = hint
        self.readonly = readonly
        self.revoked = False

    def make_readonly(self) -> None:
        """Nothing can be written from now on."""
        self.readonly = True

    def revoke(self) -> None:
        """Nothing can be done from now on."""
        self.revoked = True

    def use(self) -> None:
        """Fails   NotLent when it was taken back"""
        if self.revoked:
            raise NotLent(f"{self.name} was taken back")

    def write(self) -> None:
        """Fails   NotLent when it was taken back; OSError EROFS when it is lent for reading only"""
        if self.revoked:
            raise NotLent(f"{self.name} was taken back")
        if self.readonly:
            raise failure(errno.EROFS, self.name)

    def __repr__(self) -> str:
        state = "revoked" if self.revoked else "read-only" if self.readonly else "open"
        return f"<Access {self.name}: {state}>"


def failure(code: int, name: str | None = None) -> OSError:
    """The error of the system with that number; of the class that Python has for it."""
    return OSError(code, os.strerror(code)) if name is None else OSError(code, os.strerror(code), name)
