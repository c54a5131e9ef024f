"""The native engine; its sources are in `_fastcore/` at the root of the source tree, this is where they are built to.

`ENGINE` is there where the extension is: a pure installation has this file and nothing beside it.
"""

import importlib.util

if importlib.util.find_spec("pywasm_ref._fastcore.engine"):
    ENGINE = importlib.import_module("pywasm_ref._fastcore.engine").ENGINE
