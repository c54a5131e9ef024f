"""How the official suites are found, and when one counts as passed."""

from pathlib import Path

import conformance
import pytest
import suites

SUITE = suites.Suite("core", "spec", "test/core", 100)


def test_a_suite_is_good_when_all_its_commands_passed() -> None:
    assert conformance.judge(SUITE, (100, 0, 0), 1.0).good


@pytest.mark.parametrize("counts", [(99, 1, 0), (99, 0, 1), (99, 0, 0), (101, 0, 0), None])
def test_a_suite_with_a_failed_skipped_lost_or_uncounted_command_is_not_good(counts: tuple[int, int, int] | None) -> None:
    assert not conformance.judge(SUITE, counts, 1.0).good


def test_the_table_has_a_line_for_each_suite_and_one_for_the_sum() -> None:
    rows = [conformance.judge(SUITE, (100, 0, 0), 1.5), conformance.judge(SUITE, (90, 10, 0), 2.5)]
    lines = conformance.table(rows).splitlines()
    assert lines[2:] == [
        "| core | 100 | 100 | 0 | 0 | 1.5 |  |",
        "| core | 100 | 90 | 10 | 0 | 2.5 | 100 expected to pass |",
        "| all | 200 | 190 | 10 | 0 | 4.0 |  |",
    ]


def test_every_pinned_suite_names_a_pinned_repository_and_a_whole_commit() -> None:
    sources, wanted = suites.pins()
    assert {suite.source for suite in wanted} == {source.name for source in sources}
    assert all(len(source.commit) == 40 for source in sources)


def test_a_named_folder_without_the_suites_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(suites.VARIABLE, str(tmp_path))
    with pytest.raises(suites.SuiteMissing, match=f"{suites.VARIABLE}=.*{tmp_path.name} has no folder core/"):
        suites.find()


def test_without_the_suites_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(suites.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(suites.SuiteMissing, match=f"run `python spec-tests/suites.py` to fetch them, or set {suites.VARIABLE}"):
        suites.find()


def test_an_earlier_fetch_is_found_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(suites.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    suites.cache_folder().mkdir(parents=True)
    assert suites.find_or_fetch() == suites.cache_folder()
