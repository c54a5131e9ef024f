"""The native engine against other engines: `python -m benchmarks.native_vs_peers`.

One process; in each round every engine runs in turn, so that a change in the machine's speed meets all. The time is the process's CPU time
of calling `run` as often as keeps pywasm3 busy for a while; loading is not counted. A ratio is our time over a peer's: below 1 we are
faster. Results must agree between all engines. A peer that lacks what a kernel needs stands as a dash.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import engines
from benchmarks.programs import PROGRAMS, Kernel

OURS = "fast"
PEERS = ("pywasm3", "pulley", "winch", "wasmtime")
BUSY = 0.03
"""Seconds that the first peer is to be busy in one measurement."""


@dataclass(slots=True)
class Measurement:
    """One kernel: seconds of each round per engine, or why there are none."""

    kernel: str
    calls: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def ratios(self, peer: str) -> list[float]:
        """Our time over the peer's, round by round."""
        if self.problems or not self.seconds.get(peer):
            return []
        return [ours / other for ours, other in zip(self.seconds[OURS], self.seconds[peer], strict=True)]


@dataclass(frozen=True, slots=True)
class Summary:
    """The geometric mean over the kernels of the ratio of best times, the worst kernel, and how much single rounds spread."""

    peer: str
    kernels: int
    geometric_mean: float
    worst: str
    spread: list[float]

    def __str__(self) -> str:
        low, high = self.spread
        return (
            f"{OURS} / {self.peer}: {self.geometric_mean:.3f} over {self.kernels} kernels ({low:.3f} - {high:.3f} by round), "
            f"worst {self.worst}"
        )


def best(measurement: Measurement, peer: str) -> float:
    """The quotient of the best times: what disturbs a measurement only ever makes it longer."""
    return min(measurement.seconds[OURS]) / min(measurement.seconds[peer])


def seconds_of(run: engines.Run, argument: int, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        run(argument)
    return time.process_time() - start


def loaded(kernel: Kernel, names: list[str], problems: list[str]) -> dict[str, engines.Run]:
    """The engines that give the result that all give; a failure is put on record."""
    runs: dict[str, engines.Run] = {}
    results: dict[str, int] = {}
    for name in names:
        if kernel.needs in engines.LACKS.get(name, ()):
            continue
        try:
            runs[name] = engines.LOADERS[name](kernel.path)
            results[name] = runs[name](kernel.argument)
        except Exception as error:  # noqa: BLE001  (an engine under test may fail in any way)
            problems.append(f"{name}: {type(error).__name__}: {error}")
    if len(set(results.values())) > 1:
        problems.append("results differ: " + ", ".join(f"{name} {result:#x}" for name, result in results.items()))
    return runs


def measure(kernel: Kernel, names: list[str], rounds: int) -> Measurement:
    """Check the results, then time all engines in turn."""
    measurement = Measurement(kernel.name, 1)
    runs = loaded(kernel, names, measurement.problems)
    yardstick = runs.get(PEERS[0]) or runs.get(OURS)
    if yardstick:
        measurement.calls = max(1, round(BUSY / max(seconds_of(yardstick, kernel.argument, 1), 1e-6)))
    for _ in range(rounds):
        for name, run in runs.items():
            measurement.seconds.setdefault(name, []).append(seconds_of(run, kernel.argument, measurement.calls))
    return measurement


def row(measurement: Measurement, names: list[str]) -> str:
    """One line of the table: our microseconds for a call, then the ratio to each peer with its spread."""
    if measurement.problems:
        return f"{measurement.kernel:<12}{'; '.join(measurement.problems)}"
    cells = [f"{measurement.kernel:<12}{min(measurement.seconds[OURS]) / measurement.calls * 1e6:>10.1f}"]
    for peer in names[1:]:
        ratios = measurement.ratios(peer)
        cells.append(f"{best(measurement, peer):>10.3f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else f"{'-':>22}")
    return "".join(cells)


def summary(measurements: list[Measurement], peer: str) -> Summary | None:
    """Over the kernels that both engines ran, with equal results."""
    good = [m for m in measurements if m.ratios(peer)]
    if not good:
        return None
    by_round = [statistics.geometric_mean(ratios) for ratios in zip(*(m.ratios(peer) for m in good), strict=True)]
    worst = max(good, key=lambda m: best(m, peer))
    mean = statistics.geometric_mean(best(m, peer) for m in good)
    return Summary(peer, len(good), mean, f"{worst.kernel} {best(worst, peer):.3f}", [min(by_round), max(by_round)])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the native engine against its peers.")
    parser.add_argument("kernel", nargs="*", help="only these kernels")
    parser.add_argument("--rounds", type=int, default=15, help="measured runs of each engine and kernel (default 15)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    names = [OURS, *(peer for peer in PEERS if engines.version(peer) != "not installed")]
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {engines.version(name)}" for name in names))
    print(f"CPU time, best of {options.rounds} rounds, all engines in turn; our time over the peer's\n")
    print(f"{'kernel':<12}{'us a call':>10}" + "".join(f"{peer:>22}" for peer in names[1:]))
    measurements = []
    for kernel in PROGRAMS:
        if not options.kernel or kernel.name in options.kernel:
            measurements.append(measure(kernel, names, options.rounds))
            print(row(measurements[-1], names), flush=True)
    totals = [total for peer in names[1:] if (total := summary(measurements, peer))]
    print("\n" + "\n".join(map(str, totals)))
    if options.json:
        record = {
            "python": sys.version,
            "machine": platform.machine(),
            "dispatch": os.environ.get("PYWASM_FASTCORE_DISPATCH", "as chosen at import"),
            "versions": {name: engines.version(name) for name in names},
            "summary": [asdict(total) for total in totals],
            "kernels": [asdict(m) for m in measurements],
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    return 1 if any(m.problems for m in measurements) else 0


if __name__ == "__main__":
    raise SystemExit(main())
