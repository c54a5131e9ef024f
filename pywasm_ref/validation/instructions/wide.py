"""Wide arithmetic (proposal): the table says the types.

Spec    https://github.com/WebAssembly/wide-arithmetic
"""

from __future__ import annotations

from pywasm_ref.syntax import instructions as form
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed

types(form.WideBinop)(fixed)
types(form.WideMul)(fixed)
