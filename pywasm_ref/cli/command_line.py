"""The command line as a whole: its commands, its help, its exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Protocol

from pywasm_ref.cli import inspect, parse, print_, run, trace, validate, wast
from pywasm_ref.cli.errors import guarded
from pywasm_ref.cli.options import Formatter

DESCRIPTION = "Read, check, run and look into WebAssembly, by the book."
EPILOG = """\
`-` as a file is standard input. `pywasm-ref COMMAND --help` shows examples.

Exit status: 0 when all went well, 1 when WebAssembly refused (malformed, invalid, a trap, a failed assertion),
2 when the command line or a file was no good, 130 after Ctrl-C.
"""


class Command(Protocol):
    """What a command module offers."""

    NAME: str
    HELP: str
    EPILOG: str

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace) -> int: ...


COMMANDS: Sequence[Command] = (run, parse, print_, validate, inspect, trace, wast)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the result is the exit status."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as stop:  # after --help, --version and wrong usage
        return int(stop.code or 0)
    if isinstance(sys.stdout, TextIOWrapper):  # a name that the terminal's encoding lacks is spelled out, not fatal
        sys.stdout.reconfigure(errors="backslashreplace")
    return guarded(lambda: int(options.run(options)), sys.stderr)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="pywasm-ref", description=DESCRIPTION, epilog=EPILOG, formatter_class=Formatter)
    top.add_argument("--version", action=Version, help="show the version and exit")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.NAME, help=command.HELP, description=command.HELP, epilog=command.EPILOG, formatter_class=Formatter
        )
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


class Version(argparse.Action):
    """Says the version; looked up only when somebody asks, since that is slow."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            known = version("pywasm-ref")
        except PackageNotFoundError:  # run from a folder, not installed
            known = "unknown"
        print(f"pywasm-ref {known}")
        parser.exit()
