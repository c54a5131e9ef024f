"""The native engine; its sources are in `_fastcore/` at the root of the source tree, this is where they are built to.

It is not finished, so `auto` does not choose it: `ENGINE` is there when PYWASM_FASTCORE_PREVIEW is set.
"""

import importlib.util
import os

if os.environ.get("PYWASM_FASTCORE_PREVIEW") and importlib.util.find_spec("pywasm_ref._fastcore.engine"):
    ENGINE = importlib.import_module("pywasm_ref._fastcore.engine").ENGINE
