"""Binaries built by hand, for tests: a section is its number and its content."""

from pywasm_ref.binary.cursor import Writer

HEADER = b"\0asm\1\0\0\0"
ONE_TYPE = b"\1\x60\0\0"


def leb(value: int) -> bytes:
    w = Writer()
    w.unsigned(value)
    return bytes(w.data)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def module(*sections: tuple[int, bytes]) -> bytes:
    return HEADER + b"".join(section(number, content) for number, content in sections)


def function(body: bytes, locals_: bytes = b"\0") -> bytes:
    """A module with one function of no parameters and no results; `body` is without its last `end`."""
    code = locals_ + body + b"\x0b"
    return module((1, ONE_TYPE), (3, b"\1\0"), (10, b"\1" + leb(len(code)) + code))
