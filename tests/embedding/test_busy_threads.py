"""Guests beside threads that always want Python's lock."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import pywasm_ref as wasm
from tests.engines import needs_native

COUNT = """(module (func (export "count") (param i32) (result i32) (local i32)
  (loop $l (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br_if $l (i32.lt_u (local.get 1) (local.get 0)))) (local.get 1))
  (func (export "spin") (loop (br 0))))"""


@contextmanager
def busy(interval: float) -> Iterator[None]:
    """A thread that runs Python all the time, and gives the lock away only when the interval is over."""
    ended, before = False, sys.getswitchinterval()

    def run() -> None:
        while not ended:
            pass

    thread = threading.Thread(target=run)
    sys.setswitchinterval(interval)
    thread.start()
    try:
        yield
    finally:
        ended = True
        thread.join()
        sys.setswitchinterval(before)


@needs_native
def test_a_guest_does_not_wait_for_the_lock_again_and_again() -> None:
    """Sixty million branches are six hundred looks at the switches: half a minute, if each of them waited for the lock."""
    instance = wasm.instantiate(COUNT, engine="fast")
    timer = threading.Timer(10, instance.store.interrupt)
    timer.start()
    with busy(0.05):
        assert instance.exports.count(60_000_000) == 60_000_000
    timer.cancel()
    timer.join()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_a_signal_is_seen_soon_all_the_same(engine: str) -> None:
    class Enough(Exception):
        pass

    def handle(_signal: int, _frame: object) -> None:
        raise Enough

    exports = wasm.instantiate(COUNT, engine=engine).exports
    previous = signal.signal(signal.SIGALRM, handle)
    begun = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with busy(0.005), pytest.raises(Enough):
            exports.spin()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert time.monotonic() - begun < 5


def test_another_thread_stops_a_guest_while_a_third_is_busy(engine: str) -> None:
    instance = wasm.instantiate(COUNT, engine=engine)
    threading.Timer(0.1, instance.store.interrupt).start()
    begun = time.monotonic()
    with busy(0.005), pytest.raises(wasm.Interrupted):
        instance.exports.spin()
    assert time.monotonic() - begun < 5
