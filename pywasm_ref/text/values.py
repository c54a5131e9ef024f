"""Literals: integers, floats and vectors to the bit, and strings.

Every reader takes the text of one token. A literal of the wrong kind or past the range of its type is Malformed, without a place:
whoever holds the token knows it.

Spec    text/values.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from pywasm_ref.errors import Malformed
from pywasm_ref.numerics import F32, F64
from pywasm_ref.numerics.floats import Floats

_NUM = r"[0-9]++(?:_[0-9]++)*+"
_HEX = r"[0-9A-Fa-f]++(?:_[0-9A-Fa-f]++)*+"
_NAT = re.compile(rf"0x{_HEX}|{_NUM}")
_INT = re.compile(rf"([+-]?)(?:0x({_HEX})|({_NUM}))")
_DECIMAL = re.compile(rf"([+-]?)({_NUM}(?:\.(?:{_NUM})?)?(?:[eE][+-]?{_NUM})?)")
_HEXFLOAT = re.compile(rf"([+-]?)0x({_HEX})(?:\.({_HEX})?)?(?:[pP]([+-]?{_NUM}))?")
_SPECIAL = re.compile(rf"([+-]?)(?:(inf)|nan(?::0x({_HEX}))?)")

# No exponent past this matters, whatever stands before it; it keeps shifts and conversions small.
_FAR = 1 << 40


def is_nat(text: str) -> bool:
    """Whether a token is an unsigned integer literal."""
    return _NAT.fullmatch(text) is not None


def is_integer(text: str) -> bool:
    """Whether a token is an integer literal, with a sign or without."""
    return _INT.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Whether a token is a number literal of any kind."""
    return any(literal.fullmatch(text) for literal in (_INT, _DECIMAL, _HEXFLOAT, _SPECIAL))


# Integers


def natural(text: str, bits: int) -> int:
    """An index, a limit, an offset: no sign, below 2**bits."""
    n = _magnitude(text) if is_nat(text) else None
    if n is None or n >> bits:
        raise Malformed(f"i{bits} constant out of range")
    return n


def integer(text: str, bits: int) -> int:
    """An integer constant as its unsigned representative.

    Spec    text/values.html#integers
    """
    if len(text) < 9 and text.isdecimal() and text.isascii() and bits >= 32:  # most constants by far
        return int(text)
    literal = _INT.fullmatch(text)
    if literal is None:
        raise Malformed("constant out of range")
    sign = literal[1]
    n = _magnitude(text.lstrip("+-"))
    if n >= 1 << bits or (sign == "+" and n >= 1 << (bits - 1)) or (sign == "-" and n > 1 << (bits - 1)):
        raise Malformed("constant out of range")
    return -n % (1 << bits) if sign == "-" else n


def _magnitude(text: str) -> int:
    """A literal without sign; what has too many digits for any type becomes just too large."""
    if text[:2] == "0x":
        return int(text[2:].replace("_", ""), 16)
    digits = text.replace("_", "").lstrip("0")
    return int(digits or "0") if len(digits) <= 40 else 1 << 128


# Floats


def floating(text: str, numbers: Floats) -> int:
    """The bits of the float nearest to a literal: rounded once, ties to even.

    Spec    text/values.html#floating-point
    """
    if literal := _DECIMAL.fullmatch(text):
        bits = _decimal(literal[2].replace("_", ""), numbers)
    elif literal := _HEXFLOAT.fullmatch(text):
        bits = _hexadecimal(literal, numbers)
    elif literal := _SPECIAL.fullmatch(text):
        return _special(literal, numbers) | _sign(literal[1], numbers)
    else:
        raise Malformed("constant out of range")
    if bits >= numbers.infinity:
        raise Malformed("constant out of range")
    return bits | _sign(literal[1], numbers)


def _sign(sign: str, numbers: Floats) -> int:
    return numbers.sign if sign == "-" else 0


def _decimal(text: str, numbers: Floats) -> int:
    """Python rounds any decimal to binary64 once and exactly; narrower formats must not be rounded from that."""
    nearest = float(text)
    if numbers is F64 or nearest in (0.0, float("inf")):
        return numbers.from_float(nearest)
    numerator, denominator = nearest.as_integer_ratio()
    exact, rounded = Decimal(text), Decimal(nearest)
    # One bit further down, on the side of the exact value: enough to settle a tie.
    shift = 64
    return numbers.from_ratio((numerator << shift) + (exact > rounded) - (exact < rounded), denominator << shift)


def _hexadecimal(literal: re.Match[str], numbers: Floats) -> int:
    whole, fraction = literal[2].replace("_", ""), (literal[3] or "").replace("_", "")
    significand = int(whole + fraction, 16)
    exponent = _exponent(literal[4] or "0") - 4 * len(fraction)
    if significand == 0 or exponent + significand.bit_length() < -2 * F64.width * 16:
        return 0
    if exponent + significand.bit_length() > 2 * F64.width * 16:
        return numbers.infinity
    return numbers.from_ratio(significand << max(exponent, 0), 1 << max(-exponent, 0))


def _exponent(text: str) -> int:
    size = min(_magnitude(text.lstrip("+-")), _FAR)
    return -size if text[0] == "-" else size


def _special(literal: re.Match[str], numbers: Floats) -> int:
    """An infinity or a NaN, which is canonical unless its payload is given."""
    if literal[2]:
        return numbers.infinity
    if not literal[3]:
        return numbers.canonical_nan
    payload = int(literal[3].replace("_", ""), 16)
    if not 0 < payload < 1 << numbers.mantissa:
        raise Malformed("constant out of range")
    return numbers.infinity | payload


Reader = Callable[[str], int]

CONSTANTS: dict[str, Reader] = {
    "i32": lambda text: integer(text, 32),
    "i64": lambda text: integer(text, 64),
    "f32": lambda text: floating(text, F32),
    "f64": lambda text: floating(text, F64),
}
"""What reads a constant of a number type; the value is in the representation of `syntax/values.py`."""

# Vectors

SHAPES: dict[str, tuple[int, int, Reader]] = {
    "i8x16": (16, 8, lambda text: integer(text, 8)),
    "i16x8": (8, 16, lambda text: integer(text, 16)),
    "i32x4": (4, 32, CONSTANTS["i32"]),
    "i64x2": (2, 64, CONSTANTS["i64"]),
    "f32x4": (4, 32, CONSTANTS["f32"]),
    "f64x2": (2, 64, CONSTANTS["f64"]),
}
"""How many lanes a shape has, how many bits each of them, and what reads one."""


def vector(shape: str, lanes: list[str]) -> int:
    """The 128 bits of `v128.const`; the first lane is the lowest."""
    count, width, read = SHAPES[shape]
    if len(lanes) != count:
        raise Malformed("wrong number of lane literals")
    return sum(read(lane) << (i * width) for i, lane in enumerate(lanes))


# Strings

_ESCAPE = re.compile(rb"\\(u\{[0-9A-Fa-f_]++\}|[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ESCAPED: dict[bytes, bytes] = {
    b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"'": b"'", b'"': b'"',
    **{b"%c%c" % (high, low): bytes.fromhex(f"{high:c}{low:c}") for high in b"0123456789abcdefABCDEF" for low in b"0123456789abcdefABCDEF"},
}  # fmt: skip


def string(text: str) -> bytes:
    """The bytes of a string literal, given with its quotes and checked by the lexer.

    Fails   "malformed UTF-8 encoding"  for a `\\u{…}` that is no Unicode scalar value
    Spec    text/values.html#strings
    """
    data = text[1:-1].encode()
    return _ESCAPE.sub(_unescape, data) if b"\\" in data else data


def _unescape(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return _ESCAPED[code] if code in _ESCAPED else _scalar(code[2:-1])


def _scalar(digits: bytes) -> bytes:
    """A Unicode scalar value in UTF-8; surrogates are none."""
    point = int(digits.replace(b"_", b""), 16)
    if point >= 0x110000 or 0xD800 <= point < 0xE000:
        raise Malformed("malformed UTF-8 encoding")
    return chr(point).encode()


def utf8(data: bytes) -> str:
    """The name that the bytes spell."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("malformed UTF-8 encoding") from None
