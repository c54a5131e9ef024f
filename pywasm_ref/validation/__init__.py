"""When a module makes sense: types that match, indices that exist, code that leaves on the stack what it promises.

Spec    valid/index.html
"""

from __future__ import annotations

from pywasm_ref.validation.modules import ModuleType, operand_types, validate

__all__ = ["ModuleType", "operand_types", "validate"]
