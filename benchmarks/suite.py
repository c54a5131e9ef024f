"""The kernels on every engine as a pyperf suite: `python -m benchmarks.suite -o suite.json`, then `python -m benchmarks.plot suite.json`.

One benchmark is one kernel on one engine, named `kernel/engine`; engines follow each other kernel by kernel, in several processes each, so
that a slower moment of the machine meets neighbours alike. What is timed is CPU time of calling `run`; loading is not counted.
All of pyperf's options work (`--fast`, `--rigorous`, `--affinity`); `--kernels` and `--engines` choose among them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import pyperf

from benchmarks import engines
from benchmarks.programs import PROGRAMS, Kernel

ENGINES = ("fast", "pywasm3", "pulley", "winch", "wasmtime")
OPTIONS = ("kernels", "engines")


def timer(kernel: Kernel, engine: str) -> Callable[[int], float]:
    """What pyperf calls in its worker with a number of calls; the module is loaded on the first."""
    loaded: list[engines.Run] = []

    def seconds(calls: int) -> float:
        if not loaded:
            loaded.append(engines.LOADERS[engine](kernel.path))
            loaded[0](kernel.argument)
        run = loaded[0]
        start = time.process_time()
        for _ in range(calls):
            run(kernel.argument)
        return time.process_time() - start

    return seconds


def forward(command: list[str], options: argparse.Namespace) -> None:
    """Give our own options to the workers."""
    for name in OPTIONS:
        if getattr(options, name):
            command.extend([f"--{name}", getattr(options, name)])


def chosen(text: str | None, names: tuple[str, ...]) -> list[str]:
    """Names separated by commas; all without any.

    Fails   ValueError for a name that there is not
    """
    wanted = text.split(",") if text else list(names)
    for name in wanted:
        if name not in names:
            raise ValueError(f"there is no {name!r}; there are {', '.join(names)}")
    return wanted


def main() -> None:
    runner = pyperf.Runner(processes=5, values=3, warmups=1, program_args=("-m", "benchmarks.suite"), add_cmdline_args=forward)
    for name in OPTIONS:
        runner.argparser.add_argument(f"--{name}", help=f"only these {name}, separated by commas")
    options = runner.parse_args()
    try:
        kernels = chosen(options.kernels, tuple(kernel.name for kernel in PROGRAMS))
        names = chosen(options.engines, ENGINES)
    except ValueError as error:
        runner.argparser.error(str(error))
    for kernel in PROGRAMS:
        for engine in names:
            if kernel.name in kernels and kernel.needs not in engines.LACKS.get(engine, ()):
                runner.bench_time_func(f"{kernel.name}/{engine}", timer(kernel, engine), metadata={"version": engines.version(engine)})


if __name__ == "__main__":
    main()
