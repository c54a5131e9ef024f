"""What the generator works with: an operation of the intermediate code, its variants, and how they are numbered."""

from __future__ import annotations

from dataclasses import dataclass, field

SLOT, REGISTER, CONSTANT = "s", "r", "k"
KINDS = {"": 0, SLOT: 1, REGISTER: 2, CONSTANT: 3}
VALTYPES = {"i": 1, "l": 2, "f": 3, "d": 4, "v": 5}
CLASSES = {"": 0, "i": 1, "l": 1, "d": 2, "f": 3, "v": 0, "p": 0}
"""Accumulators: r0 for integers, f0 for f64, g0 for f32. A vector and a reference have none and are always written to their
slots."""

FORMATS = ("value", "load", "store", "branch", "raw")

TEMPORARIES = {
    "ea": "uint64_t",
    "n": "uint64_t",
    "i": "uint64_t",
    "d": "double",
    "g": "float",
    "nfp": "S*",
    "code": "Code*",
    "fn": "Fn*",
    "table": "Tab*",
    "other": "Tab*",
    "memory": "Mem*",
    "source": "Mem*",
    "seg": "Seg*",
    "sub": "Type*",
    "old": "Ctx*",
    "back": "W*",
    "caller": "S*",
    "mark": "Mark*",
    "status": "int",
    "bump": "Bump*",
    "at": "char*",
}
"""C locals that a body may use. Both backends declare what a body mentions."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the intermediate code.

    `operands` has a type letter for each operand that comes from the stack: i32 `i`, i64 `l`, f32 `f`, f64 `d`, v128 `v`. `kinds` lists the
    combinations of operand kinds that have a handler; the translator makes all others fit. `result` is a type letter too: such an
    operation has a handler that leaves the value in its accumulator and one that writes it to a slot as well, or only the
    second where there is no accumulator.
    """

    name: str
    format: str
    operands: str
    result: str
    body: str
    kinds: tuple[str, ...]
    commutative: bool = False
    topic: str = "control"
    length: int = 0
    fused: dict[str, str] = field(default_factory=dict)
    """Names of related operations: `true`, `false` (branch on the result), `inverse` (the opposite comparison); of loads and stores
    `wide` (memory 0 with 64-bit addresses) and `far` (any other memory); see folded.py for `folded` and `load`."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A handler: one operation with one kind for each operand and one destination."""

    number: int
    operation: Operation
    kinds: str
    writes: bool

    @property
    def name(self) -> str:
        parts = [self.operation.name.replace(".", "_"), self.kinds, "w" if self.writes else ""]
        return "_".join(part for part in parts if part)

    @property
    def parts(self) -> tuple[Variant, ...]:
        return (self,)

    @property
    def index(self) -> int:
        """Where the translator finds it: two bits for each of two operands, and one for the destination."""
        a, b = ((*self.kinds, "", ""))[:2]
        return KINDS[a] << 3 | KINDS[b] << 1 | self.writes


def variants(operations: tuple[Operation, ...]) -> list[Variant]:
    """All handlers, numbered from 1; 0 means that there is none."""
    found: list[Variant] = []
    for operation in operations:
        for kinds in operation.kinds or ("",):
            for writes in (False, True) if CLASSES[operation.result] else (False,):
                found.append(Variant(len(found) + 1, operation, kinds, writes))
    return found
