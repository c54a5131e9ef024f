"""Numbers and strings as a text spells them, exact to the bit.

Spec    text/values.html
"""

from __future__ import annotations

import struct

F32_EXPONENT, F32_FRACTION = 8, 23
F64_EXPONENT, F64_FRACTION = 11, 52
F32_DIGITS = 9
"""So many decimal digits tell any two f32 apart."""

_ESCAPED = {byte: f"\\{byte:02x}" for byte in (*range(0x20), *range(0x7F, 0x100))} | {0x22: '\\"', 0x5C: "\\\\"}
_ESCAPED_CHARACTERS = {byte: text for byte, text in _ESCAPED.items() if byte < 0x80}


def quoted(data: bytes) -> str:
    """Any bytes as a string."""
    return f'"{data.decode("latin-1").translate(_ESCAPED)}"'


def quoted_name(name: str) -> str:
    """A name as a string; what can be seen stays as it is."""
    text = name.translate(_ESCAPED_CHARACTERS)
    if not text.isprintable():
        text = "".join([c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text])
    return f'"{text}"'


def i32(value: int) -> str:
    return str(value - (value >> 31 << 32))


def i64(value: int) -> str:
    return str(value - (value >> 63 << 64))


def f32(bits: int) -> str:
    special = _special(bits, F32_EXPONENT, F32_FRACTION)
    if special:
        return special
    value: float = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    shortest = repr(value)
    return shortest if len(shortest) <= F32_DIGITS else f"{value:.{F32_DIGITS}g}"


def f64(bits: int) -> str:
    special = _special(bits, F64_EXPONENT, F64_FRACTION)
    if special:
        return special
    return repr(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


def _special(bits: int, exponent: int, fraction: int) -> str | None:
    """Infinities and NaNs; a payload is written unless it is the canonical one."""
    all_ones = (1 << exponent) - 1
    if bits >> fraction & all_ones != all_ones:
        return None
    sign = "-" if bits >> (exponent + fraction) else ""
    payload = bits & ((1 << fraction) - 1)
    if payload == 0:
        return f"{sign}inf"
    return f"{sign}nan" if payload == 1 << (fraction - 1) else f"{sign}nan:{payload:#x}"


def v128(bits: int) -> str:
    return "i32x4 " + " ".join([f"{bits >> shift & 0xFFFF_FFFF:#010x}" for shift in (0, 32, 64, 96)])
