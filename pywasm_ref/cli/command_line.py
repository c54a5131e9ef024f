"""The command line as a whole: its commands, its help, its exit status."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import StringIO, TextIOBase, TextIOWrapper
from typing import NoReturn, Protocol, cast

from pywasm_ref.cli.errors import STDOUT, UNUSABLE, guarded
from pywasm_ref.cli.options import Formatter

DESCRIPTION = "Read, check, run and look into WebAssembly, by the book."
EPILOG = """\
`-` as a file is standard input. `pywasm-ref COMMAND --help` shows examples.

Exit status: 0 when all went well, 1 when WebAssembly refused (malformed, invalid, a failed assertion), 2 when the command line
or a file was no good, 124 when a limit or a timeout ended a guest, 134 when it trapped, 130 after Ctrl-C, 141 when nobody reads
the output any more.
"""


class Command(Protocol):
    """What a command module offers."""

    NAME: str
    HELP: str
    EPILOG: str

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace) -> int: ...


COMMANDS = {name: name for name in ("run", "parse", "print", "validate", "inspect", "trace", "wast", "diff")} | {"print": "print_"}
"""Which module of this folder has each command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the result is the exit status."""
    sys.stdout = sys.stdout or Closed(STDOUT)  # None is what Python has for a stream that the shell closed
    sys.stderr = sys.stderr or StringIO()
    if isinstance(sys.stdout, TextIOWrapper):  # a name that the terminal's encoding lacks is spelled out, not fatal
        sys.stdout.reconfigure(errors="backslashreplace")
    return guarded(lambda: run_command(argv), sys.stderr)


def run_command(argv: Sequence[str] | None) -> int:
    own, program = split(list(sys.argv[1:] if argv is None else argv))
    try:
        options, rest = parser(wanted(own)).parse_known_args(own)
        if program and not hasattr(options, "args"):
            rest += ["--", *program]
        if rest:
            options.parser.error(f"unrecognized arguments: {' '.join(rest)}")
        if program:
            options.args = program
    except SystemExit as stop:  # after --help, --version and wrong usage
        return int(stop.code or 0)
    return int(options.run(options))


def wanted(argv: list[str]) -> list[Command]:
    """The command that is named, or all of them: a program that is to be run need not wait for what is not asked for."""
    names = argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS
    return [cast(Command, import_module(f"pywasm_ref.cli.{COMMANDS[name]}")) for name in names]


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """The words of the command, and those behind `--`, which are a program's own; all behind --invoke belongs to that."""
    at = argv.index("--") if "--" in argv else len(argv)
    return (argv, []) if "--invoke" in argv[:at] else (argv[:at], argv[at + 1 :])


class Closed(TextIOBase):
    """What stands for a stream that the shell closed: nothing can be written to it."""

    def __init__(self, name: str) -> None:
        self.stream = name

    @property
    def buffer(self) -> Closed:
        return self

    def write(self, words: object) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.stream)


class Parser(argparse.ArgumentParser):
    """A parser that says where the name of a file and of an export go, when they went elsewhere."""

    def error(self, message: str) -> NoReturn:
        misplaced = "--invoke" in self.format_usage() and (message.endswith("FILE") or message.startswith("unrecognized"))
        where = " (FILE comes first, then options, and --invoke NAME ARGS at the end)" if misplaced else ""
        self.exit(UNUSABLE, f"{self.prog}: error: {message}{where}; {self.prog} --help shows what there is\n")


def parser(found: Sequence[Command]) -> Parser:
    top = Parser(prog="pywasm-ref", description=DESCRIPTION, epilog=EPILOG, formatter_class=Formatter)
    top.add_argument("--version", action=Version, help="show the version and exit")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in found:
        sub = commands.add_parser(
            command.NAME, help=command.HELP, description=command.HELP, epilog=command.EPILOG, formatter_class=Formatter
        )
        command.arguments(sub)
        sub.set_defaults(run=command.run, parser=sub)
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
