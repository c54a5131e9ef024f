"""The native engine is tested where it is built: `make test` builds it. Elsewhere only `test_built.py` is collected, and says so."""

from __future__ import annotations

from pathlib import Path

from tests.engines import BUILT

collect_ignore = [] if BUILT else [path.name for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_built.py"]
