"""The reductions: one function per form, in files named after the specification's sections.

Importing this package fills the registry of `rules.py`.
"""

from pywasm_ref.execution.instructions import (
    aggregate,
    atomic,
    control,
    exceptions,
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

__all__ = [
    "aggregate",
    "atomic",
    "control",
    "exceptions",
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
