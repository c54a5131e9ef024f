"""Engines are chosen by name; which of them this installation has is found out here."""

from __future__ import annotations

import importlib
import os

from pywasm_ref.embedding.engine import Engine

HOMES = {"reference": ("pywasm_ref.execution.engine",), "fast": ("pywasm_ref._fastcore", "_fastcore")}
"""Where an engine may live: each of these modules holds one as `ENGINE`. The first that can be imported counts."""

NAMES = ("auto", *HOMES)


def engine(name: object = "auto") -> Engine:
    """The engine of that name; `auto` is the fast one where it is installed, else the reference engine.

    The variable PYWASM_ENGINE overrides `auto`; with PYWASM_REQUIRE_FAST=1, `auto` does not fall back.

    Fails   ValueError for a name that there is not, ImportError for an engine that is not installed
    """
    if not isinstance(name, str):
        raise TypeError(f"an engine is chosen by its name, one of {', '.join(NAMES)}; not by {type(name).__name__}")
    if name == "auto":
        name = os.environ.get("PYWASM_ENGINE") or "auto"
    if name == "auto":
        return _automatic()
    if name not in HOMES:
        raise ValueError(f"there is no engine {name!r}; there are {', '.join(NAMES)}")
    found = _installed(name)
    if found is None:
        raise ImportError(f"the {name} engine is not installed: no module {' or '.join(HOMES[name])}", name=HOMES[name][0])
    return found


def chosen(one: str | Engine) -> Engine:
    """An engine as a program gives it: itself, or its name."""
    return engine(one) if isinstance(one, str) or not hasattr(one, "adopt") else one


def _automatic() -> Engine:
    if os.environ.get("PYWASM_REQUIRE_FAST", "0") not in ("", "0"):
        return engine("fast")
    return _installed("fast") or engine("reference")


def _installed(name: str) -> Engine | None:
    for home in HOMES[name]:
        try:
            module = importlib.import_module(home)
        except ModuleNotFoundError as error:
            if error.name != home:  # it is there, and something that it needs is missing
                raise
        else:
            found: Engine | None = getattr(module, "ENGINE", None)  # a folder of sources imports too, and holds no engine
            if found is not None:
                return found
    return None
