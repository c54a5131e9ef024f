"""Find the official suites on this machine, or fetch them at their pinned commits: `python spec-tests/suites.py`."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).with_name("suites.toml")
VARIABLE = "PYWASM_SPEC_SUITE"


class SuiteMissing(Exception):
    """The suites are not there and cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """A repository at one commit."""

    name: str
    repository: str
    commit: str


@dataclass(frozen=True, slots=True)
class Suite:
    """One folder of scripts: its name here, its path in its repository, and the number of commands in it."""

    folder: str
    source: str
    path: str
    commands: int


def pins() -> tuple[list[Source], list[Suite]]:
    """The pinned repositories and the suites taken from them."""
    table = tomllib.loads(PINS.read_text())
    return [Source(**row) for row in table["source"]], [Suite(**row) for row in table["suite"]]


def cache_folder() -> Path:
    """Where fetched suites are kept; its name changes with the pins, so that an old copy is never taken for a new one."""
    sources, _ = pins()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pywasm-ref" / "spec-testsuite" / "-".join(source.commit[:9] for source in sources)


def find() -> Path:
    """The folder that holds `core/`, `custom/` and the others.

    Fails   SuiteMissing   neither the environment nor the cache has it
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named, "core").is_dir():
            raise SuiteMissing(f"{VARIABLE}={named} has no folder core/: set it to a folder with the official suites, or unset it")
        return Path(named).resolve()
    if cache_folder().is_dir():
        return cache_folder()
    raise SuiteMissing(f"the official suites are not here: run `python spec-tests/suites.py` to fetch them, or set {VARIABLE}")


def fetch() -> Path:
    """Fetch every pinned suite with git into the cache, all or nothing.

    Fails   SuiteMissing   git is missing or the repository cannot be reached
    """
    target = cache_folder()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    sources, suites = pins()
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        staged = Path(scratch, "staged")
        for source in sources:
            checkout = Path(scratch, source.name)
            fetch_source(source, checkout)
            for suite in suites:
                if suite.source == source.name:
                    shutil.copytree(checkout / suite.path, staged / suite.folder)
        staged.rename(target)
    return target


def fetch_source(source: Source, checkout: Path) -> None:
    """Check out one commit without its history."""
    steps = (
        ["init", "--quiet", str(checkout)],
        ["-C", str(checkout), "fetch", "--quiet", "--depth", "1", source.repository, source.commit],
        ["-C", str(checkout), "checkout", "--quiet", "FETCH_HEAD"],
    )
    for step in steps:
        try:
            subprocess.run(["git", *step], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        except FileNotFoundError as error:
            raise SuiteMissing(f"git is needed to fetch {source.repository}; or set {VARIABLE} to a folder with the suites") from error
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SuiteMissing(f"cannot fetch {source.repository} ({reason}); set {VARIABLE} to a folder with the suites") from error
        except subprocess.TimeoutExpired as error:
            raise SuiteMissing(f"{source.repository} does not answer; set {VARIABLE} to a folder with the suites") from error


def find_or_fetch() -> Path:
    """What is here already, else what can be fetched."""
    if os.environ.get(VARIABLE) or cache_folder().is_dir():
        return find()
    return fetch()


def main() -> int:
    try:
        print(find_or_fetch())
    except SuiteMissing as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
