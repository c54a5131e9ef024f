"""Rebuild the benchmark kernels from their C sources: `python benchmarks/kernels/build.py [NAME…]`.

Needs the PyPI package `ziglang`, a clang with a WebAssembly linker. The result uses WebAssembly 1.0 only, so that every peer can run it.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CLANG = ("-target", "wasm32-freestanding", "-mcpu=mvp", "-std=c11", "-O2", "-ffreestanding", "-fno-builtin", "-nostdlib")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
LINK = ("-Wl,--no-entry", "-Wl,--export=run", "-Wl,--strip-all", "-Wl,-z,stack-size=65536")


def build(source: Path) -> Path:
    """Compile and link one kernel beside its source."""
    target = source.with_suffix(".wasm")
    command = [sys.executable, "-m", "ziglang", "cc", *CLANG, *WARNINGS, *LINK, source.name, "-o", target.name]
    subprocess.run(command, cwd=HERE, check=True)
    target.chmod(0o644)
    return target


def main() -> int:
    wanted = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.c"))
    for name in wanted:
        target = build(HERE / f"{name}.c")
        print(f"{target.name}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
