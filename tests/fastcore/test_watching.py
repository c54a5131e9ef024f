"""Only under sanitizers: does AddressSanitizer see an access to bytes that are nobody's?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.engines import SANITIZED

pytestmark = pytest.mark.skipif(not SANITIZED, reason="`make sanitize` runs this")

START = """
import ctypes, sys
import pywasm_ref as wasm
instance = wasm.instantiate(sys.argv[1], engine="fast")
view = instance.exports.memory.view()
start = ctypes.addressof(ctypes.c_char.from_buffer(view))
"""
BEHIND = START + "ctypes.memmove(ctypes.create_string_buffer(8), start + len(view) - 4, int(sys.argv[2]))"


@pytest.mark.parametrize(("pages", "size", "words"), [(1, 4, ""), (1, 5, "use-after-poison"), (40, 5, "use-after-poison")])
def test_a_byte_behind_a_memory_is_nobodys(pages: int, size: int, words: str) -> None:
    command = [sys.executable, "-c", BEHIND, f'(module (memory (export "memory") {pages}))', str(size)]
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert words in done.stderr
    assert bool(words) == bool(done.returncode), done.stderr
