"""More words for a binary that is refused: what it is instead, or which feature would help; read off the bytes, whatever the engine."""

from __future__ import annotations

from pywasm_ref.errors import Malformed
from pywasm_ref.features import Feature, Features, needs
from pywasm_ref.isa import BY_CODE

COMPONENT = b"\0asm\x0d\0\1\0"
LEB_BITS = 35
FLAGS = {0x02: Feature.THREADS, 0x04: Feature.MEMORY64, 0x08: Feature.CUSTOM_PAGE_SIZES}
"""What a bit in the flags of limits came with."""


def add_hint(error: Malformed, data: bytes, features: Features) -> None:
    """Say more in the message of an error: above all the features that would take it away if they were on."""
    if not data:
        error.message = "unexpected end: the file is empty"
    elif data[:8] == COMPONENT and error.message == "unknown binary version":
        error.message += ": this is a component, and only core modules can be read"
    if error.at is None or not 0 <= error.at < len(data) or error.message.endswith(")"):
        return
    wanted: list[Feature] = []
    if error.message.startswith("illegal opcode"):
        op = BY_CODE.get(_opcode(data, error.at))
        wanted = [op.feature] if op else []
    elif error.message.startswith("malformed limits flags"):
        flags = data[error.at]
        wanted = [feature for bit, feature in FLAGS.items() if flags & bit] if flags < 0x10 else []
    if wanted and not features.issuperset(wanted):
        error.message += needs(*(feature for feature in wanted if feature not in features))


def _opcode(data: bytes, at: int) -> int | tuple[int, int]:
    """A byte, or a byte and the number behind it."""
    prefix = data[at]
    if prefix not in PREFIXES:
        return prefix
    number = 0
    for k, byte in enumerate(data[at + 1 : at + 1 + LEB_BITS // 7]):
        number |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            break
    return prefix, number


PREFIXES = frozenset(code[0] for code in BY_CODE if isinstance(code, tuple))
