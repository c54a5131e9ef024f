"""Operations that load one operand themselves, and find the other in the accumulator, where the operation before the load has left it.

Apart, the load takes the accumulator, and what was there goes through a slot: another dispatch, and some cycles until a processor reads
what it has just written. The address of an integer is in no register then, for that is the same accumulator.
"""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.handlers import REGISTERS
from _fastcore.generate.model import CONSTANT, REGISTER, SLOT, Operation
from _fastcore.generate.structural import LOADS

INTEGER = ("add", "sub", "mul", "and", "or", "xor")
FLOAT = ("add", "sub", "mul", "div")
NAMES = {"i32": INTEGER, "i64": INTEGER, "f32": FLOAT, "f64": FLOAT}
ENDING = ".load"


def relatives(mnemonic: str) -> dict[str, str]:
    """For an operation the one that it becomes, and the load that it swallows; nothing for most."""
    family, _, name = mnemonic.partition(".")
    return {"folded": mnemonic + ENDING, "load": family + ENDING} if name in NAMES.get(family, ()) else {}


def folded(bodies: dict[str, str]) -> Iterator[Operation]:
    """From the bodies of the numeric operations."""
    for family, names in NAMES.items():
        letter, size, value = LOADS[family + ENDING]
        kinds = (SLOT, CONSTANT) if family[0] == "i" else (SLOT, REGISTER, CONSTANT)
        for name in names:
            result = bodies[f"{family}.{name}"].replace("{a}", REGISTERS[letter]).replace("{b}", value.replace("{m}", "mem + ea"))
            body = f"ea = {{ea}}\nif ea + {size} > lim: TRAP OUT_OF_BOUNDS_MEMORY\n= {result}"
            yield Operation(f"{family}.{name}{ENDING}", "load", "i", letter, body, kinds, False, "folded")
