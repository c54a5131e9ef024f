"""Modules as Hypothesis strategies, which make a failing module smaller by themselves.

Fails   ImportError, on import, where Hypothesis is not installed
"""

from __future__ import annotations

from typing import Any

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ImportError("Hypothesis is not installed: pip install 'pywasm-ref[diff]'", name="hypothesis") from error

from pywasm_ref.tools.difftest.generate.choices import Drawn
from pywasm_ref.tools.difftest.generate.module import Generated, generate
from pywasm_ref.tools.difftest.generate.profile import PROFILES, Profile
from pywasm_ref.tools.difftest.jobs import Job


@st.composite
def generated(draw: Any, profile: Profile = PROFILES["3.0"]) -> Generated:
    """Valid modules of a profile, with calls to make."""
    return generate(Drawn(lambda low, high: int(draw(st.integers(low, high)))), profile)


def jobs(profile: Profile = PROFILES["3.0"]) -> st.SearchStrategy[Job]:
    """The same as bytes."""
    return generated(profile).map(Generated.job)
