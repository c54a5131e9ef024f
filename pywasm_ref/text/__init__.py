"""The text format: from text to module and back, as the specification's chapter 6 has it.

Spec    text/index.html
"""

from __future__ import annotations

from pywasm_ref.features import WASM_3, Features
from pywasm_ref.source import Source
from pywasm_ref.syntax.modules import Module
from pywasm_ref.text.lexer import tokenize
from pywasm_ref.text.modules import read_module
from pywasm_ref.text.printer import print_module

__all__ = ["parse", "print_module"]


def parse(source: str | Source, features: Features = WASM_3) -> Module:
    """The module that a text is: `(module …)`, or its fields alone.

    Fails   Malformed, with the character index where
    """
    return read_module(tokenize(source), features)
