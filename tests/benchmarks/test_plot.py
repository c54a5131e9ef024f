"""Ratios of a suite are told with their spread, and drawn."""

from pathlib import Path

import pytest

from benchmarks import plot, suite


def test_a_ratio_is_our_median_over_the_peers_and_its_spread_that_of_all_pairs() -> None:
    found = plot.ratios({"fib/fast": (1.0, 2.0, 3.0), "fib/pywasm3": (4.0, 4.0, 8.0), "gc/wasmtime": (1.0,)})
    assert found == {"pywasm3": {"fib": plot.Ratio(0.5, 0.125, 0.75)}}


def test_the_table_has_a_dash_where_a_peer_cannot_run_a_kernel() -> None:
    found = plot.ratios({"fib/fast": (1.0,), "fib/pywasm3": (2.0,), "fib/pulley": (4.0,), "gc/fast": (3.0,), "gc/pulley": (3.0,)})
    lines = [line.split() for line in plot.table(found)]
    assert lines[0] == ["kernel", "pywasm3", "pulley"]
    assert lines[2][:2] == ["gc", "-"]
    assert lines[3] == ["mean", "0.500", "0.500"]


def test_the_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs the extra `bench`")
    plot.picture({"pywasm3": {"fib": plot.Ratio(0.5, 0.4, 0.6)}}, tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_an_unknown_kernel_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="there is no 'fob'; there are fib, sieve"):
        suite.chosen("fib,fob", ("fib", "sieve"))
