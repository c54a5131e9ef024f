"""What exact fuel costs the native engine: `python -m benchmarks.native_with_fuel`.

One process; each round runs a kernel without and with fuel in turn. The time is the process's CPU time; a ratio is that of the best times.
"""

import statistics
import sys

import pywasm_ref as wasm
from benchmarks.native_vs_peers import BUSY, seconds_of
from benchmarks.programs import PROGRAMS, Kernel

ROUNDS = 7
PLENTY = 10**15


def ratio(kernel: Kernel) -> float:
    """The time with fuel over the time without."""
    stores = [wasm.Store("fast"), wasm.Store("fast", wasm.Limits(fuel=PLENTY))]
    runs = [wasm.instantiate(kernel.path, store=store).exports.run for store in stores]
    results = {run(kernel.argument) for run in runs}
    if len(results) != 1:
        raise SystemExit(f"{kernel.name}: results differ")
    calls = max(1, round(BUSY / max(seconds_of(runs[0], kernel.argument, 1), 1e-6)))
    seconds = [[seconds_of(run, kernel.argument, calls) for run in runs] for _ in range(ROUNDS)]
    plain, metered = map(min, zip(*seconds, strict=True))
    return float(metered / plain)


def main() -> int:
    ratios = []
    for kernel in PROGRAMS:
        try:
            ratios.append(ratio(kernel))
        except NotImplementedError as error:
            print(f"{kernel.name:<12} {error}")
            continue
        print(f"{kernel.name:<12} {ratios[-1]:.3f}", flush=True)
    print(f"geometric mean {statistics.geometric_mean(ratios):.3f}, worst {max(ratios):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
