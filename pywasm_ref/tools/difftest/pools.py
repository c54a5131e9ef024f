"""Where shards are done: by processes on this machine, or by a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from multiprocessing import active_children, get_context
from typing import Any

from pywasm_ref.tools.difftest.parent import end_with_parent


@contextmanager
def local_pool(jobs: int) -> Iterator[Executor]:
    """Processes on this machine. Whoever is stopped does not wait for what they are at."""
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def cluster_pool(address: str) -> AbstractContextManager[Executor]:
    """The workers of a Dask cluster that is there already.

    Fails   ImportError at once where `distributed` is not installed, OSError when it is entered where nobody answers
    """
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError as error:
        raise ImportError("Dask is not installed: pip install 'pywasm-ref[cluster]'", name="distributed") from error
    return _client(distributed, address)


@contextmanager
def _client(distributed: Any, address: str) -> Iterator[Executor]:
    with distributed.Client(address, timeout=10) as client:
        yield client.get_executor()
