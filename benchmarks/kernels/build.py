"""Rebuild the benchmark kernels from their sources: `python benchmarks/kernels/build.py [NAME…]`.

Those in C need the PyPI package `ziglang`, a clang with a WebAssembly linker. All but `filter`, which has vectors, use WebAssembly 1.0
only, so that every peer can run them. What C cannot say is written as text, which this project turns into a binary.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CLANG = ("-target", "wasm32-freestanding", "-mcpu=mvp", "-std=c11", "-O2", "-ffreestanding", "-fno-builtin", "-nostdlib")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
VECTORS = ("filter",)
LINK = ("-Wl,--no-entry", "-Wl,--export=run", "-Wl,--strip-all", "-Wl,-z,stack-size=65536")


def build(source: Path) -> Path:
    """Compile and link one kernel beside its source."""
    target = source.with_suffix(".wasm")
    if source.suffix == ".wat":
        command = [sys.executable, "-m", "pywasm_ref", "parse", str(source), "-o", str(target)]
        subprocess.run(command, cwd=HERE.parents[1], check=True)
        return target
    vectors = ["-msimd128"] if source.stem in VECTORS else []
    command = [sys.executable, "-m", "ziglang", "cc", *CLANG, *vectors, *WARNINGS, *LINK, source.name, "-o", target.name]
    subprocess.run(command, cwd=HERE, check=True)
    target.chmod(0o644)
    return target


def main() -> int:
    wanted = sys.argv[1:] or sorted(path.stem for kind in ("*.c", "*.wat") for path in HERE.glob(kind))
    for name in wanted:
        text = HERE / f"{name}.wat"
        target = build(text if text.exists() else HERE / f"{name}.c")
        print(f"{target.name}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
