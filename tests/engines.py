"""Which engines there are to test: the reference engine, and the native one where it is built."""

from __future__ import annotations

import importlib.util
import os

import pytest

BUILT = importlib.util.find_spec("pywasm_ref._fastcore.engine") is not None
HERE = tuple(os.environ.get("PYWASM_TEST_ENGINES", "reference,fast" if BUILT else "reference").split(","))
"""What asks for an engine runs on each that is here; `PYWASM_TEST_ENGINES=reference` leaves it at one."""

needs_native = pytest.mark.skipif(not BUILT, reason="the native engine is not built")

SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
not_sanitized = pytest.mark.skipif(SANITIZED, reason="AddressSanitizer would be what is measured, or needs terabytes of address space itself")
