"""Builds the native engine where that is possible; without it the package is pure Python and complete.

Everything else about the package stands in pyproject.toml. `PYWASM_REQUIRE_FAST=1` turns "stay pure" into an error, `PYWASM_PURE=1` leaves
the native engine out on purpose.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext, customize_compiler, new_compiler
from setuptools.errors import BaseError, CCompilerError, CompileError

FASTCORE = Path("_fastcore")
STAGE = Path("build", "fastcore")
PACKAGE = "pywasm_ref._fastcore"
REQUIRED = os.environ.get("PYWASM_REQUIRE_FAST") == "1"
PURE = os.environ.get("PYWASM_PURE") == "1"
FLAGS = ("-O2", "-g0", "-w", "-falign-functions=64", "-fno-math-errno", "-ffp-contract=off", "-fno-strict-aliasing", "-fwrapv")
"""No -march: wheels run everywhere. Contraction would change results where there is a fused multiply-add."""
GCC_FLAGS = ("-fno-gcse", "-fno-crossjumping")
"""Each handler ends in a jump of its own, which gcc would make one of. clang stops at the second, and needs neither."""
MORE_FLAGS = os.environ.get("PYWASM_FASTCORE_FLAGS", "").split()
"""For compiler and linker, behind the others: a debug build, or sanitizers (tests/sanitize.py). There may be more for some files only, as
`PYWASM_FASTCORE_FLAGS_HANDLERS` for all whose names begin with `handlers`."""
DIRECTIVES = {"cdivision": True, "embedsignature": False, "initializedcheck": False, "binding": False, "auto_pickle": False}
"""What objects of C stand for is in this process; a pickle could make one that points anywhere."""


QUESTIONS = {"egg_info", "dist_info"}
"""Commands by which pip asks before it builds. What there is to say is said once, when it builds, and looking for what has changed in 80
sources takes ten seconds each time."""
TERMINAL = "/dev/tty"


def stay_pure(why: str) -> None:
    """Say in one line that the native engine is left out, or stop when it is required."""
    if REQUIRED:
        raise SystemExit(f"pywasm-ref: PYWASM_REQUIRE_FAST=1, but the native engine cannot be built: {why}")
    tell(f"pywasm-ref: building without the native engine, the reference engine needs no compiler ({why})")


def tell(line: str) -> None:
    """On standard output, and on the terminal if there is one: of a build that succeeds pip shows nothing."""
    print(line)
    if not sys.stdout.isatty():
        with contextlib.suppress(OSError), open(TERMINAL, "w", encoding="utf-8") as terminal:
            print(f"\n{line}", file=terminal)


class BuildExtension(build_ext):
    """A compiler that is missing or fails leaves a pure package: all of the engine is built, or nothing of it is taken."""

    extensions: list[Any]
    parallel: int | bool | None

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.parallel is None:
            self.parallel = True  # as many compilers as there are processors

    def build_extensions(self) -> None:
        if self.compiler.compiler_type == "msvc":
            for extension in self.extensions:
                extension.extra_compile_args = ["/O2", "/fp:precise"]
        elif self.extensions:
            taken = [flag for flag in GCC_FLAGS if self.takes(flag)]
            for extension in self.extensions:
                extension.extra_compile_args = [*taken, *extension.extra_compile_args]
        try:
            super().build_extensions()
            self.look_for_all()
        except (BaseError, CCompilerError, OSError) as error:
            stay_pure(str(error))
            self.extensions = []  # else what was built would be copied

    def takes(self, flag: str) -> bool:
        """Does the compiler know a flag? It may warn that it does not heed it."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "nothing.c")
            source.write_text("int nothing;\n")
            try:
                subprocess.run(
                    [*self.compiler.compiler_so, flag, "-c", str(source), "-o", str(source.with_suffix(".o"))],
                    check=True,
                    capture_output=True,
                )
            except (OSError, subprocess.CalledProcessError):
                return False
        return True

    def look_for_all(self) -> None:
        """A compiler may say that all is well, and have written nothing.

        Fails   CompileError
        """
        missing = next((each.name for each in self.extensions if not os.path.exists(self.get_ext_fullpath(each.name))), None)
        if missing is not None:
            raise CompileError(f"the compiler did not fail, and did not make {missing}")


def stage() -> Path:
    """Sources and what is generated from them, side by side under their package's name; what has not changed keeps its time."""
    folder = STAGE.joinpath(*PACKAGE.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, *folder.parents):
        if place == STAGE:
            break
        (place / "__init__.pxd").touch()
    for source in (*FASTCORE.glob("*.pyx"), *FASTCORE.glob("*.pxd")):
        target = folder / source.name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    subprocess.run([sys.executable, "-m", f"{FASTCORE.name}.generate", str(folder)], check=True)
    return folder


def missing_compiler() -> str | None:
    """The C compiler that is wanted and not there; asked before anything is generated, which takes a minute."""
    compiler = new_compiler()
    customize_compiler(compiler)
    command = getattr(compiler, "compiler", None)  # a list; some compilers of Windows are found by other ways
    return command[0] if command and shutil.which(command[0]) is None else None


def extension(source: Path) -> Any:
    more = [*MORE_FLAGS, *os.environ.get(f"PYWASM_FASTCORE_FLAGS_{source.stem.split('_')[0].upper()}", "").split()]
    return Extension(f"{PACKAGE}.{source.stem}", [source.as_posix()], extra_compile_args=[*FLAGS, *more], extra_link_args=more)


def extensions() -> list[Any]:
    """The native engine as extensions, or nothing where its sources or Cython are missing."""
    if not QUESTIONS.isdisjoint(sys.argv):
        return []
    if not any(FASTCORE.glob("*.pyx")):
        stay_pure(f"this source tree has no {FASTCORE}/*.pyx")
        return []
    if PURE:
        stay_pure("PYWASM_PURE=1 asks for that")
        return []
    missing = missing_compiler()
    if missing:
        stay_pure(f"there is no C compiler {missing!r}")
        return []
    try:
        from Cython.Build import cythonize  # noqa: PLC0415  (only needed, and only at hand, when there is something to build)
        from Cython.Compiler import Options  # noqa: PLC0415
    except ImportError:
        stay_pure("Cython is not installed")
        return []
    Options.emit_code_comments = False
    sources = sorted(stage().glob("*.pyx"))
    modules = [extension(path) for path in sources]
    at_once = os.cpu_count() or 1 if sys.platform == "linux" else 0
    return list(cythonize(modules, nthreads=at_once, language_level=3, include_path=[str(STAGE)], compiler_directives=DIRECTIVES))


if __name__ == "__main__":  # where processes do not fork, those that translate read this file again
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtension})
