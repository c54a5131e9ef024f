"""Which parts of WebAssembly are on: the releases, what each of them brought, and proposals on top."""

from __future__ import annotations

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


def features(*names: str) -> Features:
    """The union of named releases and features, on top of 3.0 when no release is named.

    Fails   ValueError for a name that is neither; the message lists the names there are
    """
    chosen: set[Feature] = set()
    for name in names:
        if name in RELEASES:
            chosen |= RELEASES[name]
        else:
            chosen.add(_by_name(name))
    return frozenset(chosen) if any(name in RELEASES for name in names) else WASM_3 | chosen


def complete(features: Features) -> Features:
    """With what has been there from the beginning, which nothing can do without."""
    return features if Feature.MVP in features else features | {Feature.MVP}


def needs(*wanted: Feature) -> str:
    """For the end of a message: the features that would help, any of them or all."""
    names = [feature.value for feature in wanted]
    return f" (needs the feature{'s' * (len(names) > 1)} {' and '.join(names)}: --features {','.join(names)})"


def _by_name(name: str) -> Feature:
    try:
        return Feature(name)
    except ValueError:
        known = ", ".join([*RELEASES, *(f.value for f in Feature)])
        raise ValueError(f"unknown feature {name!r}; known are {known}") from None
