"""Running a program beside an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from pywasm_ref.embedding.objects import Module
from pywasm_ref.embedding.sources import ModuleSource
from pywasm_ref.wasi.guests import Guest, Result
from pywasm_ref.wasi.linking import START


async def run_async(module: ModuleSource | Module, *, invoke: str = START, **lent: Any) -> Result:
    """Run a program in a thread of its own while the event loop goes on. When the task is cancelled, the guest is stopped."""
    guest = await asyncio.to_thread(lambda: Guest(module, **lent))
    work = asyncio.ensure_future(asyncio.to_thread(guest.run, invoke))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        guest.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        raise
