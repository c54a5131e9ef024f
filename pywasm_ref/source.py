"""Where something stands: a byte offset in a binary, or a file, line and column in a text."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_IN_EXCERPT = 16
COLUMNS_IN_EXCERPT = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A named binary or text that errors point into."""

    name: str
    data: bytes | str

    def where(self, at: int) -> str:
        """The place `at` in a person's words: `fib.wat:3:7`, or `fib.wasm:0x1f`."""
        if isinstance(self.data, bytes):
            return f"{self.name}:{at:#x}"
        line, column = line_and_column(self.data, at)
        return f"{self.name}:{line}:{column}"

    def excerpt(self, at: int) -> str:
        """What stands at that place, with a mark under it: the line of a text, or a hex dump of the bytes around it."""
        return hex_excerpt(self.data, at) if isinstance(self.data, bytes) else line_excerpt(self.data, at)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both counted from 1; the column counts characters."""
    at = min(at, len(text))
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def line_excerpt(text: str, at: int) -> str:
    """The line around `at`, cut to a window where it is long, and a caret under the character."""
    at = min(at, len(text))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    left = max(start, at - COLUMNS_IN_EXCERPT // 2)
    right = min(end, left + COLUMNS_IN_EXCERPT)
    line = text[left:right].replace("\t", " ")
    return f"{line}\n{' ' * (at - left)}^"


def hex_excerpt(data: bytes, at: int) -> str:
    """The bytes around `at` in hex, and a caret under the byte."""
    left = max(0, min(at, len(data)) - BYTES_IN_EXCERPT // 2)
    chunk = data[left : left + BYTES_IN_EXCERPT]
    prefix = f"{left:#010x}: "
    return f"{prefix}{chunk.hex(' ')}\n{' ' * (len(prefix) + 3 * (at - left))}^^"
