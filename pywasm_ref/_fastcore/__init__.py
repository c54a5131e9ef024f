"""The native engine; its sources are in `_fastcore/` at the root of the source tree, this is where they are built to.

`ENGINE` is there where the extension is: a pure installation has this file and nothing beside it.
"""

import _thread
import importlib.util


def in_main_interpreter() -> bool:
    """Whether this is the first interpreter of the process; True where Python has no way to say so."""
    is_main = getattr(_thread, "_is_main_interpreter", None)  # from Python 3.13 on
    if is_main is not None:
        return bool(is_main())
    try:
        interpreters = importlib.import_module("_xxsubinterpreters")
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


if importlib.util.find_spec("pywasm_ref._fastcore.engine"):
    if not in_main_interpreter():  # asked before anything is loaded, which the main interpreter could not use any more
        raise ImportError("the fast engine works in the main interpreter only; use the reference engine in others", name=__name__)
    ENGINE = importlib.import_module("pywasm_ref._fastcore.engine").ENGINE
