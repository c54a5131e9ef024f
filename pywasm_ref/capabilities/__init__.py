"""What a host can lend: files, streams, clocks, randomness, sockets. Plain Python objects that know nothing of WebAssembly.

Nothing here is reachable unless somebody hands it over, and all that is handed over asks its `Access` before each use: so that
what a guest may do can be read, and reviewed, in this folder alone. What goes wrong is an `OSError`, as everywhere in Python; what was
not lent is `NotLent`.
"""

from pywasm_ref.capabilities.access import Access, NotLent
from pywasm_ref.capabilities.clocks import FakeClocks, SystemClocks
from pywasm_ref.capabilities.filesystem.host import HostTree
from pywasm_ref.capabilities.filesystem.memory import MemoryTree
from pywasm_ref.capabilities.filesystem.overlay import OverlayTree
from pywasm_ref.capabilities.network import Connection, Listener, Network
from pywasm_ref.capabilities.policy import Policy
from pywasm_ref.capabilities.quota import Quota
from pywasm_ref.capabilities.randomness import SeededRandomness, SystemRandomness
from pywasm_ref.capabilities.streams import INHERIT, Capture

__all__ = [
    "INHERIT",
    "Access",
    "Capture",
    "Connection",
    "FakeClocks",
    "HostTree",
    "Listener",
    "MemoryTree",
    "Network",
    "NotLent",
    "OverlayTree",
    "Policy",
    "Quota",
    "SeededRandomness",
    "SystemClocks",
    "SystemRandomness",
]
