"""Cold start, density and the cost of calls, with the targets beside them: `python -m benchmarks.native_starts`.

CPU time of this process, best of several rounds in which all engines take their turn; resident memory from /proc where there is one.
"""

import argparse
import gc
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import engines, real_modules

MODULE = bytes.fromhex("0061736d0100000001060160017f017f030201000503010001070501016600000a0601040020000b")
"""A module with an untouched page of memory and one function `f`, which returns its argument."""

HOST = """(module (import "env" "f" (func $f (param i32) (result i32)))
  (func (export "f") (param i32) (result i32)
    (loop (drop (call $f (i32.const 5))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 0)))"""
"""A loop that calls the host as many times as its argument says."""

PROGRAM = Path(__file__).parents[1] / "examples" / "wasi" / "look.wasm"
"""A small program in C with its library. It imports functions of WASI, which are not called."""

Work = Callable[[], object]


@dataclass(slots=True)
class Figure:
    """One line: our figure, that of a peer, and what is wanted; a target is a ratio where there is a peer."""

    name: str
    ours: float
    unit: str
    target: float
    peer: str = ""
    theirs: float = 0.0

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else self.ours

    @property
    def met(self) -> bool:
        return self.ratio >= self.target if self.unit == "per s" else self.ratio <= self.target

    def __str__(self) -> str:
        beside = f"{self.theirs:>12,.1f}  {self.ratio:>7.2f} of {self.peer}" if self.theirs else f"{'':>12}  {'':>7}"
        least = ">=" if self.unit == "per s" else "<="
        return f"{self.name:<34}{self.ours:>12,.1f} {self.unit:<6}{beside:<36}{least} {self.target:<10,g}{'met' if self.met else 'NOT MET'}"


def interleaved(works: dict[str, Work], times: int, rounds: int) -> dict[str, float]:
    """Seconds of one run of each, of its best round; all take their turn in every round."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            for _ in range(times):
                work()
            best[name] = min(best[name], (time.process_time() - start) / times)
    return best


def resident() -> int:
    """Bytes of this process in memory, 0 where that cannot be told."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def compared(name: str, unit: str, scale: float, target: float, best: dict[str, float], peer: str, runs: int = 1) -> Figure:
    """The figure of a measurement that a peer took part in, or ours alone."""
    return Figure(name, best["fast"] / runs * scale, unit, target, peer, best.get(peer, 0.0) / runs * scale)


# Peers


def installed(name: str) -> bool:
    return engines.version(name) != "not installed"


def start_pywasm3(data: bytes, host: Callable[[int], int] | None = None) -> Callable[[int], int]:
    import wasm3

    environment = wasm3.Environment()
    runtime = environment.new_runtime(1 << 12)
    module = environment.parse_module(data)
    runtime.load(module)
    if host is not None:
        module.link_function("env", "f", "i(i)", host)
    found: Callable[[int], int] = runtime.find_function("f")
    return found


def starter_wasmtime(data: bytes) -> Work:
    """A start from a compiled module, in a store of its own."""
    import wasmtime

    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, data)
    return lambda: wasmtime.Instance(wasmtime.Store(engine), module, [])


# Topics


def calls(rounds: int) -> list[Figure]:
    import pywasm_ref as wasm
    from pywasm_ref import binary, text

    host = binary.encode(text.parse(HOST))
    runs = 20_000

    def same(x: int) -> int:
        return x

    exports = wasm.instantiate(MODULE, engine="fast").exports
    loops = {"fast": wasm.instantiate(host, {"env": {"f": same}}, engine="fast").exports.f}
    functions: dict[str, Any] = {"fast": exports.f}
    if installed("pywasm3"):
        functions["pywasm3"] = start_pywasm3(MODULE)
        loops["pywasm3"] = start_pywasm3(host, same)
    inward = interleaved({name: repeated(f, runs) for name, f in functions.items()}, 1, rounds)
    outward = interleaved({name: partial(f, runs) for name, f in loops.items()}, 1, rounds)
    return [
        compared("Python to wasm", "ns", 1e9, 0.6, inward, "pywasm3", runs),
        compared("wasm to Python", "ns", 1e9, 0.9, outward, "pywasm3", runs),
    ]


def repeated(f: Callable[[int], int], runs: int) -> Work:
    def work() -> None:
        for _ in range(runs):
            f(5)

    return work


def starts(rounds: int) -> list[Figure]:
    import pywasm_ref as wasm

    module = wasm.Module(MODULE, engine="fast")
    reading: dict[str, Work] = {"fast": lambda: wasm.instantiate(MODULE, engine="fast")}
    starting: dict[str, Work] = {"fast": lambda: wasm.instantiate(module)}
    if installed("pywasm3"):
        reading["pywasm3"] = lambda: start_pywasm3(MODULE)
    if installed("wasmtime"):
        starting["wasmtime"] = starter_wasmtime(MODULE)
    program = PROGRAM.read_bytes()
    store = wasm.Store("fast")
    imports = stubs(store, wasm.Module(program, engine="fast"))
    own = interleaved({"fast": lambda: wasm.instantiate(program, imports, store=store)}, 50, rounds)
    return [
        compared("40 bytes to an instance", "us", 1e6, 0.5, interleaved(reading, 300, rounds), "pywasm3"),
        compared("module to an instance", "us", 1e6, 0.25, interleaved(starting, 300, rounds), "wasmtime"),
        Figure(f"12 KB of the {len(program) >> 10} of {PROGRAM.name}", own["fast"] * 1e6 * (12 << 10) / len(program), "us", 500),
    ]


def stubs(store: Any, module: Any) -> dict[str, dict[str, object]]:
    """A function for each that the module imports, which is never called."""
    imports: dict[str, dict[str, object]] = {}
    for wanted in module.imports:
        imports.setdefault(wanted.module, {})[wanted.name] = store.face(store.raw.func_alloc(wanted.type.type, list))
    return imports


def large(rounds: int) -> list[Figure]:
    """esbuild's 14 MB; nothing where npm cannot give it."""
    import pywasm_ref as wasm

    real = next(real for real in real_modules.MODULES if real.package == "esbuild-wasm")
    try:
        data = real_modules.obtain(real, real_modules.cache_folder()).read_bytes()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{real.name} is left out: {error}")
        return []
    before = resident()
    module = wasm.Module(data, engine="fast")
    grown = resident() - before
    lowered = interleaved({"fast": lambda: wasm.Module(data, engine="fast")}, 1, rounds)
    store = wasm.Store("fast")
    imports = stubs(store, module)
    best = interleaved({"fast": lambda: wasm.instantiate(module, imports, store=store)}, 100, rounds)
    return [
        Figure(f"{len(data) / 1e6:.0f} MB validated and lowered", lowered["fast"] * 1e3, "ms", 400),
        Figure("... resident memory of that", grown / 1e6, "MB", 300),
        Figure("... to an instance", best["fast"] * 1e6, "us", 50),
    ]


def density(live: int) -> list[Figure]:
    """Instances that are all alive, each in a store of its own, through the public face."""
    import pywasm_ref as wasm

    module = wasm.Module(MODULE, engine="fast")
    wasm.instantiate(module).exports.f(1)
    gc.collect()
    before = resident()
    start = time.process_time()
    instances = [wasm.instantiate(module) for _ in range(live)]
    seconds = time.process_time() - start
    each = (resident() - before) / live
    wrong = sum(instance.exports.f(k) != k for k, instance in enumerate(instances))
    return [
        Figure(f"bytes of each of {live:,}", each, "bytes", 2_000),
        Figure("starts, all kept alive", live / seconds, "per s", 200_000),
        Figure("... that do not answer", wrong, "", 0),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure starts, density and calls of the native engine beside its peers.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds in which each engine takes its turn (default 7)")
    parser.add_argument("--live", type=int, default=100_000, help="instances that are alive at once (default 100,000)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    figures = [*calls(options.rounds), *starts(options.rounds), *large(options.rounds), *density(options.live)]
    print("\n".join(map(str, figures)))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([{**asdict(f), "ratio": f.ratio, "met": f.met} for f in figures], indent=2) + "\n")
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
