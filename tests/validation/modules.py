"""What the tests of validation share: modules in a line, and how they are refused."""

from __future__ import annotations

import pytest

from pywasm_ref import text
from pywasm_ref.errors import Invalid
from pywasm_ref.features import ALL, Features
from pywasm_ref.validation import ModuleType, validate


def validated(source: str, features: Features = ALL) -> ModuleType:
    return validate(text.parse(source, ALL), features)


def refused(source: str, features: Features = ALL) -> Invalid:
    """The error that a module is refused with."""
    module = text.parse(source, ALL)
    with pytest.raises(Invalid) as caught:
        validate(module, features)
    return caught.value


def message(source: str, features: Features = ALL) -> str:
    return refused(source, features).message
