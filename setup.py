"""Builds the native engine where that is possible; without it the package is pure Python and complete.

Everything else about the package stands in pyproject.toml. `PYWASM_REQUIRE_FAST=1` turns "stay pure" into an error.
"""

import os
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

FASTCORE = "_fastcore"
REQUIRED = os.environ.get("PYWASM_REQUIRE_FAST") == "1"


def stay_pure(why: str) -> None:
    """Say in one line that the native engine is left out, or stop when it is required."""
    if REQUIRED:
        raise SystemExit(f"pywasm-ref: PYWASM_REQUIRE_FAST=1, but the native engine cannot be built: {why}")
    print(f"pywasm-ref: building without the native engine, the reference engine needs no compiler ({why})")


class BuildExtension(build_ext):
    """A compiler that is missing or fails leaves a pure package."""

    extensions: list[Any]

    def build_extension(self, ext: Any) -> None:
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError, OSError) as error:
            stay_pure(str(error))
            self.extensions = [other for other in self.extensions if other is not ext]  # else its absent file would be copied


def extensions() -> list[Any]:
    """The native engine as an extension, or nothing where its sources or Cython are missing."""
    sources = sorted(path.as_posix() for path in Path(FASTCORE).glob("*.pyx"))
    if not sources:
        stay_pure(f"this source tree has no {FASTCORE}/*.pyx")
        return []
    try:
        from Cython.Build import cythonize  # noqa: PLC0415  (only needed, and only at hand, when there is something to build)
    except ImportError:
        stay_pure("Cython is not installed")
        return []
    modules = [Extension(f"pywasm_ref.{Path(source).stem}", [source]) for source in sources]
    return list(cythonize(modules, language_level=3))


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtension})
