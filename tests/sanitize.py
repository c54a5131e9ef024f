"""The native engine under AddressSanitizer and UBSan: `python -m tests.sanitize [build] [tests] [suite] [fuzz] [--seconds N]`.

The sources are copied to build/sanitize and built there with gcc and its libasan, so that the engine in use stays as it is.
Both backends are built, and each does every step. Some things make that work:

- Handlers are built without guards around variables on the C stack, which have none but numbers: a guarded variable costs a handler
  its jump to the next one, and long runs would overflow the C stack. UBSan's check of the sizes of objects, which AddressSanitizer knows
  better, has the same price. What handlers read and write of the heap and of memories is watched.
- The loop is built without optimization: with the checks on all ways through it, gcc does not come to an end of optimizing it.
- What UBSan finds is a trap (ILL), which AddressSanitizer reports: UBSan beside it writes to standard error alone, which tests may have.
- Python takes its objects from the system (`PYTHONMALLOC`), so that the engine's objects are watched like all else.

A report ends the process that it is about, and is a file in build/sanitize/reports. A step fails when its command does or when there is one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

sys.path.append("spec-tests")

import suites

ROOT = Path(__file__).parents[1]
TREE = ROOT / "build" / "sanitize"
REPORTS = "reports"
BUILT_AS = TREE / "build" / "flags"
FLAGS = {
    "PYWASM_FASTCORE_FLAGS": "-O1 -foptimize-sibling-calls -g1 -fno-omit-frame-pointer "
    "-fsanitize=address,undefined,float-cast-overflow -fsanitize-undefined-trap-on-error -fno-sanitize-recover=all",
    "PYWASM_FASTCORE_FLAGS_HANDLERS": "--param asan-stack=0 -fno-sanitize=object-size",
    "PYWASM_FASTCORE_FLAGS_LOOP": "-O0",
}
BACKENDS = ("threaded", "loop")
JOBS = os.cpu_count() or 1
TESTS = ("tests/fastcore", "tests/hostile", "tests/wasi/test_moving.py", "tests/wasi/test_functions.py")
MORE_TESTS = {"threaded": ("tests/embedding",), "loop": ()}
"""What goes through doors is the same code whatever the backend."""
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", f"-n{JOBS}", "--dist=worksteal")
SUITES = ("core", "custom", "legacy", *(f"proposals/{name}" for name in ("threads", "custom-page-sizes", "wide-arithmetic")))
STRESS = {"PYWASM_FASTCORE_GC": "stress"}
Step = tuple[str, tuple[str, ...], dict[str, str]]


def copy() -> None:
    """All files that git knows or would add; what has not changed keeps its time, so that builds are incremental."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, TREE / name
        if source.is_file() and (not target.exists() or target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def build() -> None:
    """Everything is compiled again where it was built with other flags, of which a build takes no notice by itself."""
    start = time.monotonic()
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", f"-j{JOBS}"]
    if not BUILT_AS.exists() or BUILT_AS.read_text() != str(FLAGS):
        command.append("--force")
    BUILT_AS.unlink(missing_ok=True)
    subprocess.run(command, cwd=TREE, check=True, env={**os.environ, **FLAGS, "PYWASM_REQUIRE_FAST": "1"})
    BUILT_AS.write_text(str(FLAGS))
    print(f"sanitize: build: done in {time.monotonic() - start:.0f} s", flush=True)


def library() -> str:
    """What has to be loaded before Python, which is not built with sanitizers itself."""
    path = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout.strip()
    if not Path(path).is_absolute():
        raise SystemExit(f"gcc has no {path}; Debian has it in libgcc-12-dev")
    return path


def environment(tree: Path) -> dict[str, str]:
    """Leaks are not looked for: Python keeps much until its end. An allocation that is too large gives NULL, as it does elsewhere. Nobody else
    may handle the signals of a crash, as `faulthandler` would."""
    reports = tree / REPORTS
    settings = {
        "LD_PRELOAD": library(),
        "PYTHONMALLOC": "malloc",
        "PYWASM_TEST_ENGINES": "fast",
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0:quarantine_size_mb=32:log_path={reports}/report:"
        "handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:handle_abort=2",
    }
    return {**os.environ, **settings}


def steps(name: str, backend: str, seconds: float) -> list[Step]:
    """What a step does with a backend: its name, what Python is to run, and the settings for it. Reading has nothing to do with backends, and
    for the loop a third of the time is enough: most of what runs is the same."""
    entries, seconds = (("read", "run"), seconds) if backend == "threaded" else (("run",), seconds / 3)
    found: dict[str, list[Step]] = {
        "tests": [("tests", (*PYTEST, *TESTS, *MORE_TESTS[backend]), {})],
        "suite": [
            ("suite", ("-m", "tests.fastcore", *SUITES), {}),
            ("suite, collecting before every allocation", ("-m", "tests.fastcore", "core/gc"), STRESS),
        ],
        "fuzz": [(f"fuzz {' '.join(entries)}", ("-m", "tests.fuzz", *entries, "--jobs=2", f"--seconds={seconds}"), {})],
    }
    return found[name]


def run(name: str, backend: str, command: tuple[str, ...], env: dict[str, str], tree: Path) -> bool:
    """Run it and say in one line what came of it: its own last line, or all that count inputs, say what it did."""
    folder = tree / REPORTS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start, lines = time.monotonic(), [""]
    with subprocess.Popen([sys.executable, *command], cwd=tree, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.strip())
    reports = sorted(folder.iterdir())
    for report in reports:
        print(report.read_text(errors="replace"))
    clean = process.returncode == 0 and not reports
    told = [line for line in lines if " inputs " in line] or [line for line in lines if line][-1:]
    verdict = "nothing found" if clean else f"status {process.returncode}, {len(reports)} reports"
    print(f"sanitize: {name} ({backend}): {verdict} in {time.monotonic() - start:.0f} s: {'; '.join(told)}", flush=True)
    return clean


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sanitize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", choices=["build", "tests", "suite", "fuzz", []], help="what to do after copying; by default all of it")
    parser.add_argument("--seconds", type=float, default=600, help="of fuzzing, for each entry point")
    parser.add_argument("--backend", choices=BACKENDS, help="only this one")
    options = parser.parse_args()
    try:
        suites.find()
    except suites.SuiteMissing as missing:
        raise SystemExit(f"sanitize: {missing}") from None
    copy()
    wanted = options.steps or ["build", "tests", "suite", "fuzz"]
    if "build" in wanted:
        build()
    clean = True
    for step, backend in product([step for step in wanted if step != "build"], [options.backend] if options.backend else BACKENDS):
        for name, command, more in steps(step, backend, options.seconds):
            clean &= run(name, backend, command, {**environment(TREE), **more, "PYWASM_FASTCORE_DISPATCH": backend}, TREE)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
