"""The benchmark kernels: what each one stresses, and an argument that keeps a slow engine busy for about a second."""

from dataclasses import dataclass
from pathlib import Path

KERNELS = Path(__file__).parent / "kernels"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A module with one export, `run`, from an i32 to an i32 checksum. `needs` names what it has beyond WebAssembly 1.0."""

    name: str
    argument: int
    stresses: str
    needs: str = ""

    @property
    def path(self) -> Path:
        return KERNELS / f"{self.name}.wasm"


PROGRAMS = (
    Kernel("fib", 22, "direct calls"),
    Kernel("sieve", 16_000, "byte stores with a stride"),
    Kernel("matmul", 30, "f64 loads and products"),
    Kernel("mandelbrot", 34, "f64 arithmetic in locals"),
    Kernel("nbody", 450, "f64 arithmetic with square roots on structures"),
    Kernel("sha256", 55, "rotations and 32-bit logic"),
    Kernel("quicksort", 2_000, "unpredictable branches"),
    Kernel("hashtable", 2_200, "string keys"),
    Kernel("vm", 60, "br_table in a loop"),
    Kernel("indirect", 6_500, "call_indirect"),
    Kernel("hash64", 42, "i64 multiplication and rotation"),
    Kernel("memory", 60, "fill, copy and compare"),
    Kernel("filter", 5, "vectors of 16 bytes", "simd"),
    Kernel("gc", 20, "structures and arrays, made and dropped", "gc"),
    Kernel("exceptions", 20_000, "throwing through three calls", "exceptions"),
)
