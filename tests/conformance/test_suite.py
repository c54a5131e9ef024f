"""The official suites: every command of every script passes, but for a strict list of known failures.

That none is missing is for `make conformance` to see, which counts them.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import suites

from pywasm_ref.embedding import selection
from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source

EXPECTATIONS = Path(__file__).parents[2] / "spec-tests" / "expectations.toml"
_, SUITES = suites.pins()


@dataclass(frozen=True, slots=True)
class Known:
    """An assertion that is known to fail."""

    path: str
    assertion: int
    engine: str
    reason: str
    link: str


def known_failures() -> list[Known]:
    return [Known(**row) for row in tomllib.loads(EXPECTATIONS.read_text(encoding="utf-8")).get("failure", [])]


def scripts() -> list[str]:
    """All scripts of all suites, large ones first; empty where the suites are not on this machine."""
    try:
        root = suites.find()
    except suites.SuiteMissing:
        return []
    found = [path for suite in SUITES for path in (root / suite.folder).rglob("*.wast")]
    return [path.relative_to(root).as_posix() for path in sorted(found, key=lambda path: (-path.stat().st_size, path))]


LONG = {"core/return_call.wast", "core/return_call_ref.wast"}
"""A million tail calls, several times."""


@pytest.mark.parametrize("script", scripts() or [pytest.param("", id="none-found")])
def test_every_command_of_the_script_passes(script: str, engine: str, spec_suite: Path) -> None:
    if engine == "reference" and script in LONG:
        pytest.skip("in Python a million tail calls take half a minute; `make conformance` runs them")
    path = spec_suite / script
    source = Source(script, path.read_text(encoding="utf-8"))
    report = run_script(source, Runner(selection.engine(engine), features_for(path)))
    known = {row.assertion: row for row in known_failures() if (row.path, row.engine) == (script, engine)}
    failed = {failure.line for failure in report.failures}
    surprises = [f"{script}:{f.line}: {f.message}" for f in report.failures if f.line not in known]
    mended = [f"{script}:{line}: passes, though it is listed as failing: {known[line].reason}" for line in known if line not in failed]
    assert not surprises + mended, "\n".join(surprises[:20] + mended)
    assert report.passed > 0
    assert report.skipped == 0


def test_every_known_failure_says_why_and_where(spec_suite: Path) -> None:
    for row in known_failures():
        assert (spec_suite / row.path).is_file(), row
        assert row.reason, row
        assert row.link.startswith("https://"), row
