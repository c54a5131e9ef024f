"""The reference engine against pywasm, another engine in pure Python: `python -m benchmarks.reference_vs_pywasm`.

One process, both engines in turn within each round, so that a change in the machine's speed meets both. The time is the process's CPU
time of calling `run`; loading is not counted. A ratio above 1 says that the reference engine is that many times as fast. Results must
agree between the engines, and with wasmtime where it is installed.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import engines
from benchmarks.programs import PROGRAMS, Kernel

OURS, PEER, JUDGE = "reference", "pywasm", "wasmtime"


@dataclass(slots=True)
class Measurement:
    """One kernel: seconds of each round per engine, or why there are none."""

    kernel: str
    argument: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    checked_with: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """How many times as fast as the peer the reference engine was, round by round."""
        if self.problems:
            return []
        return [peer / ours for ours, peer in zip(self.seconds[OURS], self.seconds[PEER], strict=True)]

    def ratio(self) -> float:
        """The quotient of the two medians."""
        return statistics.median(self.seconds[PEER]) / statistics.median(self.seconds[OURS])


@dataclass(frozen=True, slots=True)
class Summary:
    """The geometric mean of the ratios, and the lowest and highest that a single round gave."""

    kernels: int
    of: int
    geometric_mean: float | None
    spread: list[float]

    def __str__(self) -> str:
        if self.geometric_mean is None:
            return "no kernel ran on both engines"
        low, high = self.spread
        return f"geometric mean of {self.kernels} kernels of {self.of}: {self.geometric_mean:.2f} ({low:.2f} - {high:.2f} by round)"


def load(engine: str, kernel: Kernel, measurement: Measurement) -> tuple[engines.Run, int] | None:
    """Load a kernel and run it once, unmeasured; a failure is put on record, for an engine that cannot run a kernel is a finding."""
    try:
        run = engines.LOADERS[engine](kernel.path)
        return run, run(kernel.argument)
    except Exception as error:  # noqa: BLE001  (an engine under test may fail in any way)
        measurement.problems.append(f"{engine}: {type(error).__name__}: {error}")
        return None


def seconds_of(run: engines.Run, argument: int) -> float:
    start = time.process_time()
    run(argument)
    return time.process_time() - start


def measure(kernel: Kernel, rounds: int) -> Measurement:
    """Check the results, then time the two engines in turn."""
    measurement = Measurement(kernel.name, kernel.argument)
    names = [OURS, PEER] + ([JUDGE] if engines.version(JUDGE) != "not installed" else [])
    loaded = {name: found for name in names if (found := load(name, kernel, measurement))}
    measurement.checked_with = [name for name in names if name in loaded and name != OURS]
    if len({result for _, result in loaded.values()}) > 1:
        measurement.problems.append("results differ: " + ", ".join(f"{name} {result:#x}" for name, (_, result) in loaded.items()))
    for _ in range(rounds):
        for name in (OURS, PEER):
            if name in loaded:
                measurement.seconds.setdefault(name, []).append(seconds_of(loaded[name][0], kernel.argument))
    return measurement


def row(measurement: Measurement) -> str:
    """One line of the table; the spread is that of the rounds."""
    cells = [f"{measurement.kernel:<12}{measurement.argument:>8}"]
    for name in (OURS, PEER):
        times = measurement.seconds.get(name)
        cells.append(f"{statistics.median(times):>11.3f}" if times else f"{'-':>11}")
    ratios = measurement.ratios()
    if ratios:
        cells.append(f"{measurement.ratio():>8.2f}   {min(ratios):.2f} - {max(ratios):.2f}")
    else:
        cells.append(f"{'-':>8}   {'; '.join(measurement.problems)}")
    return "".join(cells)


def summary(measurements: list[Measurement]) -> Summary:
    """Over the kernels that both engines ran, with equal results."""
    good = [m for m in measurements if m.ratios()]
    if not good:
        return Summary(0, len(measurements), None, [])
    by_round = [statistics.geometric_mean(ratios) for ratios in zip(*(m.ratios() for m in good), strict=True)]
    return Summary(len(good), len(measurements), statistics.geometric_mean(m.ratio() for m in good), [min(by_round), max(by_round)])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the reference engine against pywasm.")
    parser.add_argument("kernel", nargs="*", help="only these kernels")
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each engine and kernel (default 5)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    kernels = [kernel for kernel in PROGRAMS if not kernel.needs and (not options.kernel or kernel.name in options.kernel)]
    judge = JUDGE if engines.version(JUDGE) != "not installed" else f"each other only ({JUDGE} is not installed)"
    versions = {name: engines.version(name) for name in (OURS, PEER, JUDGE)}
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {text}" for name, text in versions.items()))
    print(f"median CPU seconds of {options.rounds} rounds, both engines in turn; results compared with {judge}\n")
    print(f"{'kernel':<12}{'n':>8}{OURS:>11}{PEER:>11}{'ratio':>8}   spread of rounds")
    measurements = []
    for kernel in kernels:
        measurements.append(measure(kernel, options.rounds))
        print(row(measurements[-1]), flush=True)
    total = summary(measurements)
    print(f"\n{total}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        record = {"python": sys.version, "versions": versions, "summary": asdict(total), "kernels": [asdict(m) for m in measurements]}
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    return 1 if any(m.problems for m in measurements) else 0


if __name__ == "__main__":
    raise SystemExit(main())
