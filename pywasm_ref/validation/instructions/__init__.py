"""Typing rules: one function for each form of instruction, or one for many forms that the table types.

Importing this package registers them all.

Spec    valid/instructions.html
"""

from __future__ import annotations

from pywasm_ref.validation.instructions import (
    aggregate,
    atomic,
    control,
    legacy,
    memory,
    numeric,
    parametric,
    reference,
    table,
    variable,
    vector,
    wide,
)
from pywasm_ref.validation.instructions.registry import CLAIMS, RULES, Rule

__all__ = [
    "CLAIMS",
    "RULES",
    "Rule",
    "aggregate",
    "atomic",
    "control",
    "legacy",
    "memory",
    "numeric",
    "parametric",
    "reference",
    "table",
    "variable",
    "vector",
    "wide",
]
