"""What a guest may use of this machine: limits that belong to a store."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pywasm_ref.embedding.words import integer


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that all guests of one store may use; a guest that wants more meets `Exhaustion`, or a growth that fails.

    Whatever `call_depth` is, there may be 50 calls from the host inside each other in a store of the reference engine, where a host
    function calls the guest again, and 200 in one of the native engine, as long as the stack of the thread has room for them: each takes
    about 1.5 KiB of that, and what the host function takes. The last 64 KiB of it, or the last quarter of a stack shorter than 256 KiB, are
    for what the innermost host function does. `threading.stack_size` says how long the stacks of threads are.

    Units   `fuel` in instructions, those of constant expressions not counted, None for no end; `memory_pages` in pages of 64 KiB of
            all memories together, `table_entries` of all tables together, those that nobody refers to any more not counted;
            `call_depth` in calls that have not returned; `heap` in structures, arrays and exceptions of the guest that are alive,
            those with 64 or more fields or elements counted by these; on the native engine what a function that has not returned
            had among its operands may count for some longer
    Fails   ValueError for a negative number, TypeError for anything that is not an integer
    """

    fuel: int | None = None
    memory_pages: int = 65_536
    table_entries: int = 10_000_000
    call_depth: int = 4_000
    heap: int = 10_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "fuel":
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"limit {field.name} is an integer, not {type(value).__name__}")
            if value < 0:
                raise ValueError(f"limit {field.name} is negative: {integer(value)}")


DEFAULT = Limits()
"""What a store gets that asks for nothing else."""
