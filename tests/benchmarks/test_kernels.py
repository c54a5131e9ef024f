"""The benchmark kernels compute the same everywhere, and so does what is reported about them."""

import pytest
import wasmtime

import pywasm_ref as wasm
from benchmarks.engines import everything
from benchmarks.programs import KERNELS, PROGRAMS, Kernel
from benchmarks.reference_vs_pywasm import Measurement, row, summary

SMALL = {"fib": 12, "sieve": 500, "matmul": 6, "mandelbrot": 6, "nbody": 6, "sha256": 1, "quicksort": 80, "hashtable": 40, "vm": 6}
SMALL |= {"indirect": 60, "hash64": 1, "memory": 2, "filter": 1, "gc": 1, "exceptions": 40}


def by_wasmtime(kernel: Kernel, argument: int) -> int:
    store = wasmtime.Store(wasmtime.Engine(everything()))
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, str(kernel.path)), [])
    run = instance.exports(store)["run"]
    assert isinstance(run, wasmtime.Func)
    return int(run(store, argument)) & 0xFFFFFFFF


@pytest.mark.parametrize("kernel", PROGRAMS, ids=lambda kernel: kernel.name)
def test_a_kernel_gives_the_checksum_that_wasmtime_gives_and_again_when_called_again(kernel: Kernel, engine: str) -> None:
    argument = SMALL[kernel.name]
    run = wasm.instantiate(kernel.path, engine=engine).exports.run
    results = [int(run(argument)) & 0xFFFFFFFF for _ in range(2)]
    assert results == [by_wasmtime(kernel, argument)] * 2


def test_every_kernel_has_its_source_its_module_and_its_row() -> None:
    names = sorted(kernel.name for kernel in PROGRAMS)
    sources = sorted(path.stem for kind in ("*.c", "*.wat") for path in KERNELS.glob(kind))
    assert names == sources == sorted(path.stem for path in KERNELS.glob("*.wasm"))


def test_a_ratio_is_the_quotient_of_the_medians_and_the_mean_is_geometric() -> None:
    first = Measurement("a", 1, {"reference": [1.0, 2.0, 3.0], "pywasm": [4.0, 4.0, 9.0]})
    second = Measurement("b", 1, {"reference": [1.0, 1.0, 1.0], "pywasm": [8.0, 8.0, 8.0]})
    total = summary([first, second])
    assert (first.ratio(), second.ratio()) == (2.0, 8.0)
    assert total.geometric_mean == pytest.approx(4.0)
    assert total.spread == [pytest.approx(4.0), pytest.approx(32**0.5)]


def test_a_kernel_that_an_engine_cannot_run_is_shown_with_its_reason_and_left_out_of_the_mean() -> None:
    broken = Measurement("a", 1, {"reference": [1.0]}, problems=["pywasm: KeyError: 'x'"])
    assert "pywasm: KeyError" in row(broken)
    assert (summary([broken]).kernels, summary([broken]).geometric_mean) == (0, None)
