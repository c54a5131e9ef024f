"""Both engines where both are there; the native one as the extension has it, whether or not `auto` chooses it."""

from __future__ import annotations

import importlib.util

import pytest

from pywasm_ref.embedding.engine import Engine
from pywasm_ref.embedding.selection import engine as engine_named
from tests.wasi.support import native

BUILT = importlib.util.find_spec("pywasm_ref._fastcore.engine") is not None


@pytest.fixture(scope="session", params=["reference", "fast"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine that the test is to use."""
    if request.param == "reference":
        return engine_named("reference")
    if not BUILT:
        pytest.skip("the native engine is not built")
    return native()
