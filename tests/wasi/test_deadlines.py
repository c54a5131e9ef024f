"""One thread stops all guests whose time is over, and only those."""

from __future__ import annotations

import os
import threading
import time

import pytest

from pywasm_ref.wasi.deadlines import SPARE, Deadlines


def until(condition: object, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.005)
    return bool(condition())  # type: ignore[operator]


def watchers() -> int:
    return sum(thread.name == "pywasm-ref deadlines" for thread in threading.enumerate())


def test_deadlines_come_in_their_order() -> None:
    deadlines, heard = Deadlines(), list[int]()
    before = watchers()
    for i in (3, 1, 2):
        deadlines.add(i / 20, lambda i=i: heard.append(i))  # type: ignore[misc]
    assert watchers() == before + 1
    assert until(lambda: len(heard) == 3)
    assert heard == [1, 2, 3]
    assert until(lambda: watchers() == before)
    deadlines.add(0.001, lambda: heard.append(4))
    assert until(lambda: len(heard) == 4)


def test_what_is_cancelled_is_not_stopped_and_not_held() -> None:
    deadlines, heard = Deadlines(), list[int]()
    kept = [deadlines.add(1000 + i, lambda: heard.append(0)) for i in range(10 * SPARE)]
    last = deadlines.add(0.05, lambda: heard.append(1))
    for deadline in kept:
        deadlines.cancel(deadline)
        deadlines.cancel(deadline)
        assert deadline.stop is None
    assert until(lambda: heard == [1])
    assert last.over
    assert not kept[0].over
    assert len(deadlines._waiting) <= SPARE + 1


def test_a_stop_that_fails_keeps_nobody_else_running(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines, heard = Deadlines(), list[int]()
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def fails() -> None:
        raise LookupError

    deadlines.add(0.01, fails)
    deadlines.add(0.05, lambda: heard.append(1))
    assert until(lambda: heard == [1])
    assert len(told) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork there")
def test_a_child_process_has_deadlines_of_its_own() -> None:
    from pywasm_ref.wasi.deadlines import DEADLINES

    deadline = DEADLINES.add(100, lambda: None)
    child = os.fork()
    if child == 0:
        done = threading.Event()
        DEADLINES.add(0.01, done.set)
        os._exit(0 if done.wait(20) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    DEADLINES.cancel(deadline)
