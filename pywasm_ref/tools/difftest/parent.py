"""Processes that end when the one that started them does, even when that was killed and could tell nobody."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

PAUSE = 1.0


def end_with_parent() -> None:
    """Look now and then whether the parent is there still, and end this process without more ado when it is not."""
    Thread(target=_follow, args=(os.getppid(),), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PAUSE)
    if os.getpgrp() == os.getpid():  # the programs that this process has started, and itself
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
