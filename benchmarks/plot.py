"""Ratios and a picture from a suite's file: `python -m benchmarks.plot suite.json [-o plot.svg]`.

A ratio is the median time of the native engine over that of the peer: below 1 we are faster. Its spread is that of the quotients of all
pairs of values.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyperf

OURS = "fast"
WIDTH, HEIGHT = 11, 5


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our time over a peer's on one kernel, with the quotients of extreme values."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.2f}-{self.high:.2f})"


def ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> Ratio:
    median = statistics.median(ours) / statistics.median(theirs)
    return Ratio(median, min(ours) / max(theirs), max(ours) / min(theirs))


def ratios(values: Mapping[str, tuple[float, ...]]) -> dict[str, dict[str, Ratio]]:
    """For each peer, for each kernel that both ran; `values` has seconds by `kernel/engine`."""
    found: dict[str, dict[str, Ratio]] = {}
    for name, theirs in values.items():
        kernel, peer = name.split("/")
        if peer != OURS and f"{kernel}/{OURS}" in values:
            found.setdefault(peer, {})[kernel] = ratio(values[f"{kernel}/{OURS}"], theirs)
    return found


def table(found: dict[str, dict[str, Ratio]]) -> list[str]:
    kernels = list(dict.fromkeys(kernel for by_kernel in found.values() for kernel in by_kernel))
    lines = ["kernel      " + "".join(f"{peer:>22}" for peer in found)]
    for kernel in kernels:
        lines.append(f"{kernel:<12}" + "".join(f"{by_kernel.get(kernel, '-')!s:>22}" for by_kernel in found.values()))
    means = (statistics.geometric_mean(one.median for one in by_kernel.values()) for by_kernel in found.values())
    return [*lines, f"{'mean':<12}" + "".join(f"{mean:>22.3f}" for mean in means)]


def picture(found: dict[str, dict[str, Ratio]], target: Path) -> None:
    """Bars by kernel and peer on a logarithmic axis; the line at 1 is where we would be equal."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    kernels = list(dict.fromkeys(kernel for by_kernel in found.values() for kernel in by_kernel))
    figure, axes = pyplot.subplots(figsize=(WIDTH, HEIGHT), layout="constrained")
    wide = 0.8 / max(len(found), 1)
    for place, (peer, by_kernel) in enumerate(found.items()):
        known = [(i, by_kernel[kernel]) for i, kernel in enumerate(kernels) if kernel in by_kernel]
        middle = [one.median for _, one in known]
        spread = [[one.median - one.low for _, one in known], [one.high - one.median for _, one in known]]
        axes.bar([i + place * wide for i, _ in known], middle, wide, yerr=spread, error_kw={"elinewidth": 0.7}, label=f"against {peer}")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xticks([i + 0.4 - wide / 2 for i in range(len(kernels))], kernels, rotation=30, ha="right")
    axes.set_ylabel("our CPU time over the peer's (lower is better)")
    axes.legend(ncols=len(found))
    figure.savefig(target)


def main() -> int:
    parser = argparse.ArgumentParser(description="Ratios and a picture from a file that benchmarks.suite wrote.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="the picture, .svg or .png; beside the file without it")
    options = parser.parse_args()
    suite = pyperf.BenchmarkSuite.load(str(options.suite))
    found = ratios({one.get_name(): one.get_values() for one in suite})
    if not found:
        parser.error(f"{options.suite} has no kernel on both {OURS!r} and a peer")
    print(*table(found), sep="\n")
    target = options.output or options.suite.with_suffix(".svg")
    picture(found, target)
    print(f"\n{target}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
