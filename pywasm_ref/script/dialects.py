"""Which features a script is written for, told from the folder that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pywasm_ref.features import WASM_1, WASM_3, Feature, Features

# The suite of the threads proposal was written against the first release and asserts that what came later is refused.
OLDER = WASM_1 | {Feature.SIGN_EXTENSION, Feature.SATURATING_FLOAT_TO_INT, Feature.MULTI_VALUE}

FOLDERS: dict[str, Features] = {
    "proposals/threads": OLDER | {Feature.THREADS},
    "proposals/custom-page-sizes": WASM_3 | {Feature.CUSTOM_PAGE_SIZES},
    "proposals/wide-arithmetic": WASM_3 | {Feature.WIDE_ARITHMETIC},
    "legacy/exceptions": WASM_3 | {Feature.LEGACY_EXCEPTIONS},
}
"""Folders of the official suites that need more than the release 3.0, or less."""


def features_for(path: Path) -> Features:
    """What is on for a script at that path: what its suite asks for, else the release 3.0."""
    parts = path.resolve().parts
    for folder, features in FOLDERS.items():
        if any(pair == folder for pair in _pairs(parts)):
            return features
    return WASM_3


def _pairs(parts: tuple[str, ...]) -> Iterator[str]:
    return map("/".join, zip(parts, parts[1:], strict=False))
