"""The comparison with wasmtime runs, and finds the same output on both."""

import pytest


def test_programs_are_compared_with_wasmtime() -> None:
    pytest.importorskip("wasmtime", reason="wasmtime is not installed")
    from benchmarks.wasi_vs_wasmtime import compare

    ratios = compare("reference", rounds=1, total=1 << 20, small=100)
    assert len(ratios) == 4
    assert all(ratio > 0 for ratio in ratios.values())
