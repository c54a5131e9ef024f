"""Bytes and texts become as short as they can."""

from __future__ import annotations

import re

import pytest

from pywasm_ref.tools.difftest import deviations
from pywasm_ref.tools.difftest.crew import crew
from pywasm_ref.tools.difftest.finds import reduced
from pywasm_ref.tools.difftest.shards import Finding, Shard, run_shard
from pywasm_ref.tools.difftest.shorten import shorten, shorten_text


@pytest.mark.parametrize("whole", ["a", "ab", "xxabyy", "a" + "z" * 100 + "b", "b" * 33 + "a" * 33 + "b" * 33])
def test_what_is_left_shows_the_thing_and_nothing_more(whole: str) -> None:
    def shows(part: str) -> bool:
        return "a" in part and ("b" in part or "b" not in whole)

    assert sorted(shorten(whole, shows, 10)) == sorted(set("ab") & set(whole))


def test_what_stands_in_parentheses_goes_together() -> None:
    tries = []

    def shows(part: str) -> bool:
        tries.append(part)
        return "+" in part and part.count("(") == part.count(")")

    assert shorten_text(f"(a {'(b c) ' * 50}(d (e +1)) (f))", shows, 10) == "(((+)))"
    assert len(tries) < 150


def test_what_cannot_be_shorter_stays() -> None:
    assert shorten(b"abc", lambda part: part == b"abc", 10) == b"abc"
    assert shorten("", lambda part: True, 10) == ""


def test_when_the_time_is_up_it_is_as_short_as_it_got() -> None:
    assert shorten(bytes(100), lambda part: True, 0.0) == bytes(100)


def test_a_text_on_which_parsers_differ_becomes_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known deviation, taken for a find."""
    names = ("reference", "wasmtime")
    pytest.importorskip("wasmtime")
    run = run_shard(Shard("texts", "3.0", 10586, 1), names)
    (found,) = [Finding(**row) for row in run["findings"]]
    assert "sign" in found.explained
    monkeypatch.setattr(deviations, "OF_WAT2WASM", {})
    words = reduced(found, names, 20.0)
    crew(names).close()
    (size,) = re.findall(r"; (\d+) characters", words)
    assert int(size) < 60
    assert "+" in words
