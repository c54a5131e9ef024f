"""Which parts of WebAssembly are on: the releases, what each of them brought, and proposals on top."""

from __future__ import annotations

from collections.abc import Iterable, Set
from enum import Enum


class Feature(Enum):
    """What one proposal brought; the value is the name on the command line."""

    MVP = "mvp"

    MUTABLE_GLOBALS = "mutable-globals"
    SIGN_EXTENSION = "sign-extension"
    SATURATING_FLOAT_TO_INT = "saturating-float-to-int"
    MULTI_VALUE = "multi-value"
    REFERENCE_TYPES = "reference-types"
    BULK_MEMORY = "bulk-memory"
    SIMD = "simd"

    RELAXED_SIMD = "relaxed-simd"
    TAIL_CALL = "tail-call"
    FUNCTION_REFERENCES = "function-references"
    GC = "gc"
    EXCEPTIONS = "exceptions"
    MULTI_MEMORY = "multi-memory"
    MEMORY64 = "memory64"
    EXTENDED_CONST = "extended-const"

    THREADS = "threads"
    CUSTOM_PAGE_SIZES = "custom-page-sizes"
    WIDE_ARITHMETIC = "wide-arithmetic"
    LEGACY_EXCEPTIONS = "legacy-exceptions"

    # Members are compared and hashed by identity: the hash of `Enum` is a Python function, and these sit in hot sets.
    __hash__ = object.__hash__


Features = frozenset[Feature]

_F = Feature
WASM_1: Features = frozenset({_F.MVP, _F.MUTABLE_GLOBALS})
WASM_2: Features = WASM_1 | {
    _F.SIGN_EXTENSION,
    _F.SATURATING_FLOAT_TO_INT,
    _F.MULTI_VALUE,
    _F.REFERENCE_TYPES,
    _F.BULK_MEMORY,
    _F.SIMD,
}
WASM_3: Features = WASM_2 | {
    _F.RELAXED_SIMD,
    _F.TAIL_CALL,
    _F.FUNCTION_REFERENCES,
    _F.GC,
    _F.EXCEPTIONS,
    _F.MULTI_MEMORY,
    _F.MEMORY64,
    _F.EXTENDED_CONST,
}
PROPOSALS: Features = frozenset({_F.THREADS, _F.CUSTOM_PAGE_SIZES, _F.WIDE_ARITHMETIC, _F.LEGACY_EXCEPTIONS})
ALL: Features = WASM_3 | PROPOSALS

RELEASES: dict[str, Features] = {"1.0": WASM_1, "2.0": WASM_2, "3.0": WASM_3, "all": ALL}


Choice = str | Feature | Iterable[str | Feature] | None
"""What a program may say of features, see `features`."""


def features(choice: Choice) -> Features:
    """The features that a choice stands for.

    A feature, by its name or as a member of `Feature`, is added to 3.0, or to the release that is named beside it. A string may name
    several, separated by commas. Only a set of nothing but members of `Feature` is exactly what it holds, and `MVP`. None, and what is
    empty, is 3.0.

    Fails   ValueError for a name that is none; the message lists the names there are. TypeError for anything else
    """
    if choice is None or choice is WASM_3:
        return WASM_3
    exact = isinstance(choice, Set) and all(isinstance(entry, Feature) for entry in choice)
    entries = _entries(choice)
    releases = [RELEASES[entry] for entry in entries if isinstance(entry, str) and entry in RELEASES]
    added = {_feature(entry) for entry in entries if not (isinstance(entry, str) and entry in RELEASES)}
    if not releases and not (exact and added):
        releases = [WASM_3]
    found = complete(frozenset(added.union(*releases)))
    return WASM_3 if found == WASM_3 else found  # the one object, so that an engine can tell, and start sooner


def complete(features: Features) -> Features:
    """With what has been there from the beginning, which nothing can do without."""
    return features if Feature.MVP in features else features | {Feature.MVP}


def needs(*wanted: Feature) -> str:
    """For the end of a message: the features that would help, any of them or all."""
    names = [feature.value for feature in wanted]
    return f" (needs the feature{'s' * (len(names) > 1)} {' and '.join(names)}: --features {','.join(names)})"


def _entries(choice: object) -> list[object]:
    """One by one; the names in a string as what they are."""
    if isinstance(choice, str):
        names: list[object] = [name.strip() for name in choice.split(",") if name.strip()]
        if not names:
            raise ValueError("no feature is named")
        return names
    if isinstance(choice, Iterable) and not isinstance(choice, bytes | bytearray):
        return list(choice)
    return [choice]


def _feature(entry: object) -> Feature:
    if isinstance(entry, Feature):
        return entry
    if not isinstance(entry, str):
        raise TypeError(f"a feature is a name or a member of Feature, not {type(entry).__name__}")
    try:
        return Feature(entry)
    except ValueError:
        known = ", ".join([*RELEASES, *(f.value for f in Feature)])
        raise ValueError(f"unknown feature {entry!r}; known are {known}") from None
