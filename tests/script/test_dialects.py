"""Features that follow from a folder."""

from pathlib import Path

import pytest

from pywasm_ref.features import WASM_3, Feature
from pywasm_ref.script.dialects import features_for


@pytest.mark.parametrize(
    ("folder", "feature"),
    [
        ("proposals/threads", Feature.THREADS),
        ("proposals/custom-page-sizes", Feature.CUSTOM_PAGE_SIZES),
        ("proposals/wide-arithmetic", Feature.WIDE_ARITHMETIC),
        ("legacy/exceptions", Feature.LEGACY_EXCEPTIONS),
    ],
)
def test_a_suite_of_a_proposal_turns_its_feature_on(folder: str, feature: Feature) -> None:
    assert feature in features_for(Path("suites", folder, "deep", "a.wast"))
    assert feature not in features_for(Path("suites", "core", "a.wast"))


def test_everything_else_is_the_present_release() -> None:
    assert features_for(Path("core/gc/struct.wast")) == features_for(Path("threads.wast")) == WASM_3
