"""The native engine under AddressSanitizer and UBSan: `python -m tests.sanitize [build] [tests] [suite] [fuzz] [--seconds N]`.

The sources are copied to build/sanitize and built there with gcc and its libasan and libubsan, so that the engine in use stays as it is.
The portable backend is used: a handler with a local that AddressSanitizer watches, as loads have, is called and not jumped to, so that long
runs of them overflow the C stack, which the self-test at import does not see. `--threaded` uses those all the same; it builds faster.
The first report ends the process that it is about, which the tests, the suite or the fuzzer count as a failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TREE = ROOT / "build" / "sanitize"
FLAGS = "-O1 -foptimize-sibling-calls -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
STEPS = {
    "tests": [["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/fastcore"]],
    "suite": [["-m", "tests.fastcore"]],
    "fuzz": [["-m", "tests.fuzz", "read", "run"]],
}


def copy() -> None:
    """All files that git knows or would add; what has not changed keeps its time, so that builds are incremental."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, TREE / name
        if source.is_file() and (not target.exists() or target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def build(loop: bool) -> None:
    settings = {"PYWASM_REQUIRE_FAST": "1", "PYWASM_FASTCORE_FLAGS": FLAGS}
    if not loop:
        settings["PYWASM_FASTCORE_NO_LOOP"] = "1"
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", f"-j{os.cpu_count() or 1}"]
    subprocess.run(command, cwd=TREE, check=True, env={**os.environ, **settings})


def libraries() -> str:
    """What has to be loaded before Python, which is not built with sanitizers itself."""
    names = ("libasan.so", "libubsan.so")
    found = [subprocess.run(["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True).stdout.strip() for name in names]
    for path in found:
        if not Path(path).is_absolute():
            raise SystemExit(f"gcc has no {path}; Debian has it in libgcc-12-dev")
    return " ".join(found)


def environment(loop: bool) -> dict[str, str]:
    """Leaks are not looked for: Python keeps much until its end. An allocation that is too large gives NULL, as it does elsewhere."""
    settings = {
        "LD_PRELOAD": libraries(),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }
    return {**os.environ, **settings, **({"PYWASM_FASTCORE_DISPATCH": "loop"} if loop else {})}


def timed(what: str, command: list[str], env: dict[str, str]) -> bool:
    start = time.monotonic()
    status = subprocess.run([sys.executable, *command], cwd=TREE, env=env, check=False).returncode
    print(f"sanitize: {what}: {'nothing found' if status == 0 else f'status {status}'} in {time.monotonic() - start:.0f} s", flush=True)
    return status == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sanitize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", choices=["build", *STEPS, []], help="what to do after copying; by default all of it")
    parser.add_argument("--seconds", type=float, default=600, help="of fuzzing, for each entry point")
    parser.add_argument("--threaded", action="store_true", help="use handlers that should jump to each other")
    options = parser.parse_args()
    steps = options.steps or ["build", *STEPS]
    copy()
    if "build" in steps:
        build(not options.threaded)
    env = environment(not options.threaded)
    found = True
    for step in steps:
        for command in STEPS.get(step, []):
            found &= timed(step, [*command, *(["--seconds", str(options.seconds)] if step == "fuzz" else [])], env)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
