"""An outside source of modules: Binaryen's `wasm-opt`, which turns noise into valid modules.

It is looked for on the path, then in `node_modules` here and in the folders above (`npm install binaryen`). What a number stands for
depends on its version.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from pywasm_ref.features import Feature
from pywasm_ref.tools.difftest.generate import Profile

SIZES = (200, 6000)
"""How much noise for a module, in bytes."""

SECONDS = 60.0
HANG_LIMIT = "hangLimitInitializer"
"""The export that fills up what a module of Binaryen's counts calls and rounds of loops with."""

FLAGS = {
    Feature.MUTABLE_GLOBALS: "mutable-globals",
    Feature.SIGN_EXTENSION: "sign-ext",
    Feature.SATURATING_FLOAT_TO_INT: "nontrapping-float-to-int",
    Feature.MULTI_VALUE: "multivalue",
    Feature.REFERENCE_TYPES: "reference-types",
    Feature.BULK_MEMORY: "bulk-memory",
    Feature.SIMD: "simd",
    Feature.RELAXED_SIMD: "relaxed-simd",
    Feature.TAIL_CALL: "tail-call",
    Feature.GC: "gc",
    Feature.EXCEPTIONS: "exception-handling",
    Feature.MULTI_MEMORY: "multimemory",
    Feature.MEMORY64: "memory64",
    Feature.EXTENDED_CONST: "extended-const",
}


class NoBinaryen(Exception):
    """`wasm-opt` is not to be found."""


@cache
def program() -> str:
    """Where `wasm-opt` is.

    Fails   NoBinaryen
    """
    found = shutil.which("wasm-opt")
    here = Path.cwd()
    for folder in (here, *here.parents):
        found = found or shutil.which("wasm-opt", path=str(folder / "node_modules" / ".bin"))
    if found is None:
        raise NoBinaryen("modules from noise need wasm-opt, which is not on the path nor in node_modules: npm install binaryen")
    return found


def command(profile: Profile, source: str, target: str) -> list[str]:
    """Features as the release has them; handlers as it has them, too; NaNs replaced for engines that choose them."""
    wanted = [flag for feature, flag in FLAGS.items() if profile.has(feature) and (profile.relaxed or feature is not Feature.RELAXED_SIMD)]
    passes = ["--translate-to-exnref"] if profile.has(Feature.EXCEPTIONS) else []
    if profile.plain_host:
        passes.append("--denan")
    return [program(), "-ttf", "--mvp-features", *(f"--enable-{flag}" for flag in wanted), *passes, source, "-o", target]


def module_of_noise(seed: int, profile: Profile) -> bytes:
    """The module that Binaryen makes of the noise of that number; nothing where it fails."""
    rng = random.Random(f"noise {seed}")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "noise"), Path(folder, "made.wasm")
        source.write_bytes(rng.randbytes(rng.randint(*SIZES)))
        try:
            subprocess.run(command(profile, str(source), str(target)), capture_output=True, timeout=SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return b""
        return target.read_bytes()
