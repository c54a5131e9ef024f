"""Is there a native engine to test?"""

from __future__ import annotations

import importlib.util
import os

import pytest


def test_the_native_engine_is_built() -> None:
    if importlib.util.find_spec("pywasm_ref._fastcore.engine") is None:
        reason = "the native engine is not built: pip install -e . says why"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
