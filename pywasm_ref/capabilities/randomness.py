"""Random bytes: the system's, and those of a seed."""

from __future__ import annotations

import hashlib
import os
from typing import Protocol

from pywasm_ref.capabilities.access import Access


class Randomness(Protocol):
    """Fails   NotLent when the access was taken back"""

    @property
    def access(self) -> Access: ...
    def take(self, n: int) -> bytes: ...


class SystemRandomness:
    """Random bytes of the operating system, fit for keys."""

    def __init__(self) -> None:
        self.access = Access("randomness")

    def take(self, n: int) -> bytes:
        self.access.use()
        return os.urandom(n)


class SeededRandomness:
    """Bytes that a seed decides: the same for each run, each machine and each version of Python. Nothing for keys."""

    def __init__(self, seed: int | str | bytes) -> None:
        self.access = Access("randomness")
        self._key = hashlib.sha256(seed if isinstance(seed, bytes) else str(seed).encode()).digest()
        self._block = 0
        self._rest = b""

    def take(self, n: int) -> bytes:
        self.access.use()
        blocks = [self._rest]
        have = len(self._rest)
        while have < n:
            block = hashlib.sha256(self._key + self._block.to_bytes(16, "little")).digest()
            self._block += 1
            blocks.append(block)
            have += len(block)
        data = b"".join(blocks)
        self._rest = data[n:]
        return data[:n]
