"""Host and guest that call each other take room on the thread's own stack, and are stopped where that is short."""

from __future__ import annotations

import subprocess
import sys

import pytest

HERE = """
import sys, threading
import pywasm_ref as wasm
engine = sys.argv[1]
text = '''(module (import "m" "f" (func $f (param i32) (result i32)))
  (func (export "g") (param i32) (result i32) (call $f (local.get 0))) (func (export "one") (result i32) (i32.const 1)))'''
told = []

def told_of(call):
    try:
        call(1)
    except (wasm.Exhaustion, RecursionError) as error:
        told.append(f"{type(error).__name__} {exports.one()}")

def in_threads(call):
    for kib in sys.argv[2:]:
        threading.stack_size(int(kib) << 10)
        thread = threading.Thread(target=told_of, args=(call,))
        thread.start()
        thread.join()
    print(told)
"""

PING_PONG = HERE + """
exports = wasm.instantiate(text, {"m": {"f": lambda n: exports.g(n + 1)}}, engine=engine, limits=wasm.Limits(fuel=FUEL)).exports
in_threads(exports.g)
"""

CHAIN = HERE + """
def chain(n):
    return wasm.instantiate(text, {"m": {"f": chain}}, engine=engine).exports.g(n + 1)

exports = wasm.instantiate(text, {"m": {"f": chain}}, engine=engine).exports
sys.setrecursionlimit(20_000)
told_of(chain)
in_threads(chain)
"""


def run(program: str, engine: str, *kib: int) -> str:
    """What a process says whose threads have stacks so long; one that overflows is its end."""
    command = [sys.executable, "-c", program, engine, *map(str, kib)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.parametrize("fuel", ["None", "10**9"])
def test_host_and_guest_that_call_each_other_meet_the_end_of_a_short_stack(engine: str, fuel: str) -> None:
    times = 4 if engine == "reference" else 1  # it is Python that takes the room, and more for each call
    found = run(PING_PONG.replace("FUEL", fuel), engine, *(kib * times for kib in (64, 128, 256, 512, 256)))
    assert found == str(["Exhaustion 1"] * 5)


def test_a_chain_of_stores_meets_the_end_of_the_stack_where_python_sees_none(engine: str) -> None:
    """In each store there is one call, and Python was told to allow twenty thousand."""
    if engine == "reference":
        assert run(CHAIN, engine) == "['RecursionError 1']"
    else:
        found = run(CHAIN, engine, 256)
        in_main = "RecursionError" if sys.version_info >= (3, 12) else "Exhaustion"  # from then on Python counts calls by C as well
        assert found == f"['{in_main} 1', 'Exhaustion 1']"
