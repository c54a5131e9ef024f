"""Compile the corpus, from which superinstructions are chosen: `python benchmarks/corpus/build.py FOLDER`. Needs the package `ziglang`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CLANG = ("-target", "wasm32-freestanding", "-mcpu=mvp", "-std=c11", "-ffreestanding", "-fno-builtin", "-nostdlib")
LINK = ("-Wl,--no-entry", "-Wl,--export=run", "-Wl,--strip-all", "-Wl,-z,stack-size=65536")


def build(source: Path, level: str, folder: Path) -> None:
    """One program at one level of optimization: code in the wild is built at several."""
    target = folder / f"{source.stem}{level}.wasm"
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *CLANG, level, *LINK, str(source), "-o", str(target)], check=True)
    print(f"{target.name}: {target.stat().st_size} bytes")


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(HERE.glob("*.c")):
        for level in ("-O2", "-Os"):
            build(source, level, folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
