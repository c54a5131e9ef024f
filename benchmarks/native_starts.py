"""Cold start, density and the cost of calls, ours and pywasm3's: `python -m benchmarks.native_starts`.

CPU time of this process, best of several rounds; resident memory from /proc where there is one.
"""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import engines

MODULE = bytes.fromhex("0061736d0100000001060160017f017f030201000503010001070501016600000a0601040020000b")
"""A module with an untouched page of memory and one function `f`, which returns its argument."""

ROUNDS, CALLS, STARTS, LIVE = 5, 100_000, 2_000, 20_000


def best(work: Callable[[], object], times: int) -> float:
    """Seconds of one call, of the best round."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - start) / times)
    return min(found)


def resident() -> int:
    """Bytes of this process in memory, 0 where that cannot be told."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def native() -> None:
    import pywasm_ref as wasm

    module = wasm.Module(MODULE, engine="fast")
    f = wasm.instantiate(module).exports.f
    print(f"fast     call {best(lambda: f(5), CALLS) * 1e9:8.0f} ns", end="")
    print(f"   bytes to instance {best(lambda: wasm.instantiate(MODULE, engine='fast'), STARTS) * 1e6:8.1f} us", end="")
    print(f"   module to instance {best(lambda: wasm.instantiate(module), STARTS) * 1e6:8.1f} us")
    before = resident()
    live = [wasm.instantiate(module) for _ in range(LIVE)]
    print(f"fast     {(resident() - before) / LIVE:.0f} bytes each of {len(live)} live instances")


def pywasm3() -> None:
    import wasm3

    def start() -> Callable[[int], int]:
        environment = wasm3.Environment()
        runtime = environment.new_runtime(1 << 12)
        runtime.load(environment.parse_module(MODULE))
        found: Callable[[int], int] = runtime.find_function("f")
        return found

    f = start()
    print(f"pywasm3  call {best(lambda: f(5), CALLS) * 1e9:8.0f} ns   bytes to instance {best(start, STARTS) * 1e6:8.1f} us")


def main() -> int:
    native()
    if engines.version("pywasm3") != "not installed":
        pywasm3()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
