"""Values as the specification's abstract syntax has them, in Python's terms.

- An integer iN is its unsigned representative, `0 <= i < 2**N`.
- A float fN is its bit pattern, an unsigned integer: NaN payloads and the sign of zero are exact.
- A vector v128 is an unsigned 128-bit integer; lane 0 is its lowest bits.

Spec    syntax/values.html
"""

from __future__ import annotations

U32_MAX = 2**32 - 1
