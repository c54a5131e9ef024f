"""Running a program beside an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pywasm_ref.embedding.objects import Module
from pywasm_ref.embedding.sources import ModuleSource
from pywasm_ref.wasi.guests import Guest, Result
from pywasm_ref.wasi.linking import START

T = TypeVar("T")


async def run_async(module: ModuleSource | Module, *, invoke: str = START, **lent: Any) -> Result:
    """Run a program in a thread of its own while the event loop goes on. When the task is cancelled, the guest is stopped."""
    guest = await in_thread(lambda: Guest(module, **lent))
    work = in_thread(lambda: guest.run(invoke))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        guest.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        raise


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """What some work comes to, which is done in a new thread: guests may wait for ever, and are not to take the threads of a pool that
    others share."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def tell(settle: Callable[[Any], None], outcome: object) -> None:
        if not future.done():  # nobody waits for it any more when it was cancelled
            settle(outcome)

    def body() -> None:
        settle: Callable[[Any], None] = future.set_result
        try:
            outcome: object = context.run(work)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it belongs to whoever awaits)
            settle, outcome = future.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, settle, outcome)

    threading.Thread(target=body, name="pywasm-ref guest", daemon=True).start()
    return future
