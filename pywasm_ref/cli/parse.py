"""`parse`: from text to binary."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pywasm_ref import binary
from pywasm_ref.cli.errors import Unusable, errors_in
from pywasm_ref.cli.inputs import STDIN, module_in, read_module, write_bytes
from pywasm_ref.cli.options import add_features, add_file, chosen_features

NAME = "parse"
HELP = "turn a module from text into binary"
EPILOG = """\
The module is not validated, so that wrong modules can be made too; see `pywasm-ref validate`.
Without -o the binary goes beside the text: fib.wat becomes fib.wasm. Names of the text are kept in a name section.

examples:
  pywasm-ref parse fib.wat                 writes fib.wasm
  pywasm-ref parse fib.wat -o out.wasm
  pywasm-ref parse - -o - < fib.wat | pywasm-ref inspect -
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write; - is standard output")
    add_features(parser)


def run(options: argparse.Namespace) -> int:
    source = read_module(options.file)
    module = module_in(source, chosen_features(options))
    with errors_in(source):
        data = binary.encode(module, names=True)
    target = options.output or beside(options.file)
    if target == STDIN and sys.stdout.isatty():
        raise Unusable("a binary would garble the terminal; use -o FILE, or pipe it")
    write_bytes(target, data)
    return 0


def beside(path: str) -> str:
    """The same path with the ending of a binary."""
    if path == STDIN:
        return STDIN
    target = Path(path).with_suffix(".wasm")
    if str(target) == path:
        raise Unusable(f"{path} would be overwritten; use -o FILE")
    return str(target)
