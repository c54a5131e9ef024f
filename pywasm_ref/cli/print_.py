"""`print`: from binary to text."""

from __future__ import annotations

import argparse

from pywasm_ref import text
from pywasm_ref.cli.inputs import STDIN, module_in, read_module, write_text
from pywasm_ref.cli.options import add_features, add_file, chosen_features

NAME = "print"
HELP = "turn a module from binary into text"
EPILOG = """\
The text reads back to the same binary. Names come from the name section. The module is not validated.
A text as input is printed in the standard layout.

examples:
  pywasm-ref print fib.wasm
  pywasm-ref print fib.wasm -o fib.wat
  pywasm-ref print folded.wat              abbreviations and folded forms spelled out
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("-o", "--output", metavar="OUT", default=STDIN, help="where to write (default: standard output)")
    add_features(parser)


def run(options: argparse.Namespace) -> int:
    module = module_in(read_module(options.file), chosen_features(options))
    words = text.print_module(module)
    write_text(options.output, words if words.endswith("\n") else words + "\n")
    return 0
