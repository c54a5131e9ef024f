"""The words of the text format, and the feature that each of them came with.

A word whose feature is off is as unknown as any other; which is all that the text format has to know about features.
"""

from __future__ import annotations

from pywasm_ref.features import Feature, Features
from pywasm_ref.isa import BY_MNEMONIC

_STRUCTURE: dict[Feature, str] = {
    Feature.MVP: """
        i32 i64 f32 f64 funcref func extern null mut end then else
        module type global memory table param result local data elem declare offset item start import export
        definition binary quote instance script register invoke get input output either
        assert_malformed assert_invalid assert_malformed_custom assert_invalid_custom assert_unlinkable assert_return assert_trap
        assert_exception assert_exhaustion assert_suspension nan:canonical nan:arithmetic ref.host ref.extern
    """,
    Feature.REFERENCE_TYPES: "externref",
    Feature.SIMD: "v128 i8x16 i16x8 i32x4 i64x2 f32x4 f64x2",
    Feature.FUNCTION_REFERENCES: "ref",
    Feature.GC: """
        i8 i16 any eq i31 struct array none nofunc noextern anyref eqref i31ref structref arrayref nullref nullfuncref nullexternref
        field sub final rec ref.struct ref.array
    """,
    Feature.EXCEPTIONS: "exn noexn exnref nullexnref tag catch catch_ref catch_all catch_all_ref ref.exn",
    Feature.LEGACY_EXCEPTIONS: "delegate",
    Feature.THREADS: "shared",
    Feature.CUSTOM_PAGE_SIZES: "pagesize",
}

_ALSO: dict[str, Feature] = {"catch": Feature.LEGACY_EXCEPTIONS, "catch_all": Feature.LEGACY_EXCEPTIONS, "tag": Feature.LEGACY_EXCEPTIONS}

FEATURES: dict[str, frozenset[Feature]] = {
    **{word: frozenset({feature}) for feature, words in _STRUCTURE.items() for word in words.split()},
    **{mnemonic: frozenset(row.feature for row in rows) for mnemonic, rows in BY_MNEMONIC.items()},
}
"""The features any of which brings a word."""

FEATURES.update({word: FEATURES[word] | {feature} for word, feature in _ALSO.items()})

KEYWORDS = frozenset(FEATURES)


def origin(word: str) -> Feature:
    """The feature that a word came with first."""
    return min(FEATURES[word], key=list(Feature).index)


def words_off(features: Features) -> frozenset[str]:
    """The words that none of these features brings."""
    return frozenset(word for word, any_of in FEATURES.items() if features.isdisjoint(any_of))
